#include <stdint.h>

static uint32_t items[96];

static void insert(uint32_t *from, uint32_t at) {
    uint32_t moved = from[at];
    while (at > 0 && from[at - 1] > moved) {
        from[at] = from[at - 1];
        at--;
    }
    from[at] = moved;
}

uint32_t sorted(uint32_t seed) {
    uint32_t result = 0;
    for (uint32_t pass = 0; pass < 14; pass++) {
        for (uint32_t i = 0; i < 96; i++) items[i] = (i * 2654435761u + pass * 40503u) >> 7;
        for (uint32_t i = 1; i < 96; i++) insert(items, i);
        result = result * 31 + items[pass];
    }
    return result ^ seed;
}
