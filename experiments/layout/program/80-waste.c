#include <stdint.h>

extern const uint32_t waste_a, waste_b, waste_c;

/* Work that nobody needs, in amounts that other files name: less of it is a true gain, and moves nothing. */
uint32_t waste(uint32_t seed) {
    uint32_t sink = seed;
    for (uint32_t left = waste_a + waste_b + waste_c; left > 0; left--) {
        sink = sink * 2654435761u + 1;
        __asm__ volatile("" : "+r"(sink));
    }
    return sink & 0;
}
