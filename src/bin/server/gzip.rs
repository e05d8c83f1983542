//! Large answers are compressed for clients that can read it.

/// Smaller answers are not worth the work. Source: k8s.io/apiserver, `defaultGzipThresholdBytes`.
pub const THRESHOLD: usize = 128 * 1024;

/// Frames deflated bytes as RFC 1952 has it.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    // Speed counts more than size: the level the real server uses.
    let deflated = miniz_oxide::deflate::compress_to_vec(bytes, 1);
    let mut out = Vec::with_capacity(deflated.len() + 18);
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
    out.extend_from_slice(&deflated);
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}

/// The checksum of RFC 1952, section 8.
fn crc32(bytes: &[u8]) -> u32 {
    static TABLE: std::sync::OnceLock<[u32; 256]> = std::sync::OnceLock::new();
    let table = TABLE.get_or_init(|| {
        std::array::from_fn(|i| {
            (0..8).fold(i as u32, |c, _| {
                if c & 1 == 1 {
                    0xedb8_8320 ^ (c >> 1)
                } else {
                    c >> 1
                }
            })
        })
    });
    !bytes
        .iter()
        .fold(!0, |crc, byte| table[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framed() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let text = b"abc".repeat(1000);
        let out = compress(&text);
        assert_eq!(
            miniz_oxide::inflate::decompress_to_vec(&out[10..out.len() - 8]).unwrap(),
            text
        );
    }
}
