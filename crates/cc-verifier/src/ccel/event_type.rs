//! Types of events (*TCG PC Client Platform Firmware Profile*, 10.4.1, "Event types").

/// The type of an event, one of those that the profile defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType(u32);

impl EventType {
    /// Says something and measures nothing.
    pub const NO_ACTION: Self = Self(0x3);

    pub(super) const SEPARATOR: Self = Self(0x4);
    pub(super) const EFI_VARIABLE_DRIVER_CONFIG: Self = Self(0x8000_0001);
    pub(super) const EFI_VARIABLE_BOOT: Self = Self(0x8000_0002);
    pub(super) const EFI_BOOT_SERVICES_APPLICATION: Self = Self(0x8000_0003);
    pub(super) const EFI_BOOT_SERVICES_DRIVER: Self = Self(0x8000_0004);
    pub(super) const EFI_RUNTIME_SERVICES_DRIVER: Self = Self(0x8000_0005);
    pub(super) const EFI_PLATFORM_FIRMWARE_BLOB2: Self = Self(0x8000_000A);
    pub(super) const EFI_HANDOFF_TABLES2: Self = Self(0x8000_000B);
    pub(super) const EFI_VARIABLE_BOOT2: Self = Self(0x8000_000C);
    pub(super) const EFI_VARIABLE_AUTHORITY: Self = Self(0x8000_00E0);

    /// The type with this number; `None` for one that the profile reserves or does not have.
    pub(super) fn known(number: u32) -> Option<Self> {
        NAMES.iter().any(|(known, _)| *known == number).then_some(Self(number))
    }

    /// The number in the log.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The name in the profile, for example `EV_SEPARATOR`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(number, _)| *number == self.0).map_or("", |(_, name)| name)
    }
}

const NAMES: [(u32, &str); 38] = [
    (0x0, "EV_PREBOOT_CERT"),
    (0x1, "EV_POST_CODE"),
    (0x3, "EV_NO_ACTION"),
    (0x4, "EV_SEPARATOR"),
    (0x5, "EV_ACTION"),
    (0x6, "EV_EVENT_TAG"),
    (0x7, "EV_S_CRTM_CONTENTS"),
    (0x8, "EV_S_CRTM_VERSION"),
    (0x9, "EV_CPU_MICROCODE"),
    (0xA, "EV_PLATFORM_CONFIG_FLAGS"),
    (0xB, "EV_TABLE_OF_DEVICES"),
    (0xC, "EV_COMPACT_HASH"),
    (0xD, "EV_IPL"),
    (0xE, "EV_IPL_PARTITION_DATA"),
    (0xF, "EV_NONHOST_CODE"),
    (0x10, "EV_NONHOST_CONFIG"),
    (0x11, "EV_NONHOST_INFO"),
    (0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"),
    (0x13, "EV_POST_CODE2"),
    (0x8000_0001, "EV_EFI_VARIABLE_DRIVER_CONFIG"),
    (0x8000_0002, "EV_EFI_VARIABLE_BOOT"),
    (0x8000_0003, "EV_EFI_BOOT_SERVICES_APPLICATION"),
    (0x8000_0004, "EV_EFI_BOOT_SERVICES_DRIVER"),
    (0x8000_0005, "EV_EFI_RUNTIME_SERVICES_DRIVER"),
    (0x8000_0006, "EV_EFI_GPT_EVENT"),
    (0x8000_0007, "EV_EFI_ACTION"),
    (0x8000_0008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"),
    (0x8000_0009, "EV_EFI_HANDOFF_TABLES"),
    (0x8000_000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"),
    (0x8000_000B, "EV_EFI_HANDOFF_TABLES2"),
    (0x8000_000C, "EV_EFI_VARIABLE_BOOT2"),
    (0x8000_000D, "EV_EFI_GPT_EVENT2"),
    (0x8000_0010, "EV_EFI_HCRTM_EVENT"),
    (0x8000_00E0, "EV_EFI_VARIABLE_AUTHORITY"),
    (0x8000_00E1, "EV_EFI_SPDM_FIRMWARE_BLOB"),
    (0x8000_00E2, "EV_EFI_SPDM_FIRMWARE_CONFIG"),
    (0x8000_00E3, "EV_EFI_SPDM_DEVICE_POLICY"),
    (0x8000_00E4, "EV_EFI_SPDM_DEVICE_AUTHORITY"),
];
