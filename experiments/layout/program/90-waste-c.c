#include <stdint.h>

const uint32_t waste_c = 35000;
