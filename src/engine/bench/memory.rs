//! The most memory that this process has held.

/// Peak of the resident set so far, MiB; none where the system does not tell it in a file.
pub(super) fn peak_rss_mb() -> Option<u64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Reads the `VmHWM` line of Linux.
fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_own_line() {
        let status = "Name:\tllavacode\nVmPeak:\t 9000000 kB\nVmHWM:\t  703488 kB\nVmRSS:\t  600000 kB\n";
        assert_eq!(peak_in(status), Some(687));
        assert_eq!(peak_in("VmRSS:\t 600000 kB\n"), None);
    }
}
