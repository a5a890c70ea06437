#include <stdint.h>

static unsigned char code[512];

uint32_t machine(uint32_t seed) {
    for (uint32_t i = 0; i < sizeof code; i++) code[i] = (unsigned char)((i * i + 3 * i) % 8);
    uint32_t a = seed | 1, b = 7, c = 3;
    for (int pass = 0; pass < 15; pass++)
        for (uint32_t i = 0; i < sizeof code; i++)
            switch (code[i]) {
                case 0: a += b; break;
                case 1: b ^= a; break;
                case 2: c = a * 5 + c; break;
                case 3: a = (a << 3) | (a >> 29); break;
                case 4: b += c; break;
                case 5: c ^= b >> 2; break;
                case 6: a -= c; break;
                default: b = b * 9 + 1; break;
            }
    return a ^ b ^ c;
}
