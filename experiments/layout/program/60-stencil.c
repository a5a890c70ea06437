#include <stdint.h>

static float from[2051];
static float into[2051];

uint32_t stencil(uint32_t seed) {
    for (uint32_t i = 0; i < 2051; i++) from[i] = (float)((i * 13 + seed % 7) % 97);
    for (int pass = 0; pass < 60; pass++) {
        for (uint32_t i = 1; i < 2050; i++) into[i] = from[i - 1] * 0.25f + from[i] * 0.5f + from[i + 1] * 0.25f;
        for (uint32_t i = 1; i < 2050; i++) from[i] = into[i];
    }
    return (uint32_t)from[1000] ^ seed;
}
