//! How fast the CPUs run and how hot the machine is.

use std::fs;
use std::path::Path;

/// Returns the mean frequency of the CPUs in MHz (`cpufreq/scaling_cur_freq`); `None` where none tells.
pub fn frequency_mhz() -> Option<f64> {
    frequency_below(Path::new("/sys/devices/system/cpu"))
}

/// Returns the temperature of the hottest thermal zone in degrees Celsius; `None` where there is none.
pub fn celsius() -> Option<f64> {
    celsius_below(Path::new("/sys/class/thermal"))
}

fn frequency_below(root: &Path) -> Option<f64> {
    let khz = numbers(root, "cpu", "cpufreq/scaling_cur_freq");
    (!khz.is_empty()).then(|| khz.iter().sum::<f64>() / khz.len() as f64 / 1000.0)
}

/// Zones that tell nothing sensible (0, or a sensor that is switched off) do not count.
fn celsius_below(root: &Path) -> Option<f64> {
    let zones = numbers(root, "thermal_zone", "temp");
    zones.into_iter().map(|millidegrees| millidegrees / 1000.0).filter(|c| (1.0..150.0).contains(c)).reduce(f64::max)
}

/// Reads one number in each folder whose name begins with a word.
fn numbers(root: &Path, word: &str, file: &str) -> Vec<f64> {
    let entries = fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(word));
    folders.filter_map(|entry| fs::read_to_string(entry.path().join(file)).ok()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    #[test]
    fn the_frequency_is_the_mean_over_the_cpus_that_tell() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(frequency_below(dir.path()), None);
        write(dir.path(), "cpu0/cpufreq/scaling_cur_freq", "2400000");
        write(dir.path(), "cpu1/cpufreq/scaling_cur_freq", "1200000");
        write(dir.path(), "cpuidle/current_driver", "none");
        assert_eq!(frequency_below(dir.path()), Some(1800.0));
    }

    #[test]
    fn the_hottest_zone_that_works_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(celsius_below(dir.path()), None);
        write(dir.path(), "thermal_zone0/temp", "-274000");
        write(dir.path(), "thermal_zone1/temp", "47500");
        write(dir.path(), "thermal_zone2/temp", "81000");
        write(dir.path(), "cooling_device0/temp", "99000");
        assert_eq!(celsius_below(dir.path()), Some(81.0));
    }
}
