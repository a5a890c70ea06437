#include <stdint.h>

static unsigned char text[4099];
static uint32_t table[256];

uint32_t crc(uint32_t seed) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1;
        table[i] = c;
    }
    for (uint32_t i = 0; i < sizeof text; i++) text[i] = (unsigned char)(i * 31 + 7);
    uint32_t c = ~seed;
    for (int pass = 0; pass < 18; pass++)
        for (uint32_t i = 0; i < sizeof text; i++) c = table[(c ^ text[i]) & 255] ^ (c >> 8);
    return c;
}
