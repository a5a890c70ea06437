#include <stdint.h>

static char line[3001];

static int kind(char c) {
    if (c >= 'a' && c <= 'z') return 0;
    if (c >= '0' && c <= '9') return 1;
    if (c == ' ' || c == '\t') return 2;
    if (c == '(' || c == ')') return 3;
    return 4;
}

uint32_t tokens(uint32_t seed) {
    static const char some[] = "let sum = fold(0, map(x12, list)) + 7; ";
    for (uint32_t i = 0; i < sizeof line; i++) line[i] = some[(i * 7 + i / 13) % (sizeof some - 1)];
    uint32_t counts[5] = {0}, state = seed & 3;
    for (int pass = 0; pass < 20; pass++)
        for (uint32_t i = 0; i < sizeof line; i++) {
            uint32_t k = (uint32_t)kind(line[i]);
            if (k == state) continue;
            counts[state]++;
            state = k;
        }
    return counts[0] * 3 + counts[1] * 5 + counts[2] * 7 + counts[3] * 11 + counts[4];
}
