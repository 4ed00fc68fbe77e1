//! The bits of POLICY, PLATFORM_INFO and the key information (*verification.md* 1.1).

/// POLICY bit 17, which must be one.
pub(super) const POLICY_RESERVED_ONE: u64 = 1 << 17;
/// POLICY bits 63:26, which must be zero.
pub(super) const POLICY_RESERVED_ZERO: u64 = !0 << 26;
/// Key information bits 31:5, which must be zero.
pub(super) const KEY_INFO_RESERVED: u32 = !0 << 5;

/// Flags of POLICY by claim name.
pub const POLICY_FLAGS: [(&str, u32); 9] = [
    ("smt", 16),
    ("migrate_ma", 18),
    ("debug", 19),
    ("single_socket", 20),
    ("cxl_allow", 21),
    ("mem_aes256", 22),
    ("rapl_dis", 23),
    ("ciphertext_hiding", 24),
    ("page_swap_disable", 25),
];

/// Flags of PLATFORM_INFO by claim name. Bits without a published meaning are in the claim `platform_info` only.
pub const PLATFORM_FLAGS: [(&str, u32); 7] = [
    ("smt_en", 0),
    ("tsme_en", 1),
    ("ecc_en", 2),
    ("rapl_dis", 3),
    ("ciphertext_hiding_dram_en", 4),
    ("alias_check_complete", 5),
    ("tio_en", 7),
];

/// Whether bit `bit` of `word` is set.
pub(super) const fn is_set(word: u64, bit: u32) -> bool {
    word & 1_u64.rotate_left(bit) != 0
}

/// Minimum ABI version that the guest policy demands: major, minor.
pub(super) const fn abi(policy: u64) -> (u8, u8) {
    let [minor, major, ..] = policy.to_le_bytes();
    (major, minor)
}

/// AUTHOR_KEY_EN of the key information.
pub(super) const fn author_key_en(key_info: u32) -> bool {
    key_info & 1 != 0
}

/// MASK_CHIP_KEY of the key information.
pub(super) const fn mask_chip_key(key_info: u32) -> bool {
    key_info & 2 != 0
}

/// SIGNING_KEY of the key information.
pub(super) const fn signing_key(key_info: u32) -> u32 {
    (key_info >> 2) & 0b111
}
