//! Where the machine's power comes from while a session runs: a battery slows a machine down, and ends.

use crate::domain::{Event, Note};
use crate::host::{self, PowerState};

use super::EngineError;
use super::recorder::Durability;
use super::session::Session;

/// The power source as it was last seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct PowerWatch(Option<PowerState>);

impl PowerWatch {
    /// Takes the first look.
    pub(super) fn begin() -> Self {
        Self(host::power())
    }

    /// Takes another look; returns what to say where the source is another one.
    fn look(&mut self, now: Option<PowerState>) -> Option<String> {
        let text = match (self.0?, now?) {
            (PowerState::Mains, PowerState::Battery(charge)) => format!(
                "the machine went from the mains to its battery{}: it may run slower from here on, and each pair still \
                 compares both arms as they run now",
                left(charge)
            ),
            (PowerState::Battery(_), PowerState::Mains) => "the machine is back on the mains".to_owned(),
            (PowerState::Mains, PowerState::Mains) | (PowerState::Battery(_), PowerState::Battery(_)) => return None,
        };
        self.0 = now;
        Some(text)
    }
}

/// Says what is to be known of the battery that a session starts on; `None` on the mains and where nothing is known.
pub fn battery_warning() -> Option<String> {
    warning(host::power()?)
}

fn warning(power: PowerState) -> Option<String> {
    match power {
        PowerState::Mains => None,
        PowerState::Battery(charge) => Some(format!(
            "the machine runs on its battery{}: it may be slower and noisier than on the mains, and a night empties it",
            left(charge)
        )),
    }
}

fn left(charge: Option<u8>) -> String {
    charge.map_or_else(String::new, |percent| format!(" ({percent} % left)"))
}

impl Session<'_, '_> {
    /// Notes that the power comes from elsewhere than before.
    pub(super) fn watch_power(&mut self) -> Result<(), EngineError> {
        let Some(text) = self.power.look(host::power()) else { return Ok(()) };
        Ok(self.recorder.session(Event::Note(Note { text }), Durability::Written)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_the_source_is_told_once_and_the_charge_is_none() {
        let mut watch = PowerWatch(Some(PowerState::Mains));
        let battery = |charge| Some(PowerState::Battery(Some(charge)));
        assert_eq!(watch.look(Some(PowerState::Mains)), None);
        assert!(watch.look(battery(80)).unwrap().contains("to its battery (80 % left)"));
        assert_eq!((watch.look(battery(79)), watch.look(None)), (None, None));
        assert_eq!(watch.look(Some(PowerState::Mains)).unwrap(), "the machine is back on the mains");
        assert_eq!(watch.look(Some(PowerState::Mains)), None);
        assert_eq!(PowerWatch(None).look(battery(80)), None, "a machine that does not tell");
    }

    #[test]
    fn a_start_on_battery_is_warned_of() {
        assert!(warning(PowerState::Battery(None)).unwrap().starts_with("the machine runs on its battery: "));
        assert_eq!(warning(PowerState::Mains), None);
    }
}
