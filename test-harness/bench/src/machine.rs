//! The machine and the build, as far as they matter to a number.

use std::fs;

/// One line: cores, their kind, memory, system, and how busy it is already.
pub fn line() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text));
    let memory = memory.map_or_else(|| "unknown memory".to_owned(), |gib| format!("{gib:.0} GiB"));
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let build = if cfg!(debug_assertions) {
        "DEBUG build"
    } else {
        "release build"
    };
    format!(
        "{cores} cores ({cpu}), {memory}, Linux {}, {build}, load {load} at the start",
        system.trim()
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gibibytes(text: &str) -> Option<f64> {
    let kib: u32 = text.split_whitespace().next()?.parse().ok()?;
    Some(f64::from(kib) / (1_024.0 * 1_024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_gibibytes() {
        assert_eq!(gibibytes("25165824 kB"), Some(24.0));
        assert_eq!(gibibytes("much"), None);
    }
}
