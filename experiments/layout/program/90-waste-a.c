#include <stdint.h>

const uint32_t waste_a = 7000;
