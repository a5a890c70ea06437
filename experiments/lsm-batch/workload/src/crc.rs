//! The checksum of log frames and table blocks: CRC-32, reflected 0xEDB88320.

const POLYNOMIAL: u32 = 0xEDB8_8320;

static TABLE: [u32; 256] = table();

/// Returns the CRC-32 of some bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0;
    for byte in bytes {
        crc = TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    }
    !crc
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (POLYNOMIAL * low);
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}
