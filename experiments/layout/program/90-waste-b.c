#include <stdint.h>

const uint32_t waste_b = 10500;
