#include <stdint.h>

/* Short dependent loops: whether one fits into a fetch line depends on where it lies. */
uint32_t steps(uint32_t seed) {
    uint32_t longest = 0;
    for (uint32_t start = 1; start < 500; start++) {
        uint32_t n = start, count = 0;
        while (n != 1) {
            n = n & 1 ? 3 * n + 1 : n >> 1;
            count++;
        }
        if (count > longest) longest = count;
    }
    return longest ^ seed;
}
