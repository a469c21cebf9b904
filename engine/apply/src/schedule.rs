//! Which step may run now. Pure: an event goes in, commands come out.

use std::collections::BTreeSet;

use plan::Step;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The run begins.
    Begin,
    /// A step is done.
    Done(usize),
    /// A step has failed: what needs it cannot run.
    Failed(usize),
    /// Nothing new may begin.
    Stop,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Run a step.
    Run(usize),
    /// A step will never run.
    Skip(usize),
}

/// The steps and how far they are.
pub struct Schedule {
    waiting: Vec<usize>,
    followers: Vec<Vec<usize>>,
    joins: Vec<bool>,
    ready: BTreeSet<usize>,
    skipped: Vec<bool>,
    running: usize,
    limit: usize,
    stopped: bool,
}

impl Schedule {
    /// A schedule that runs at most `limit` steps at once.
    pub fn new(steps: &[Step], limit: usize) -> Self {
        let mut followers = vec![Vec::new(); steps.len()];
        for (at, step) in steps.iter().enumerate() {
            for before in &step.after {
                followers[*before].push(at);
            }
        }
        Self {
            waiting: steps.iter().map(|step| step.after.len()).collect(),
            followers,
            joins: steps.iter().map(|step| step.change.is_none()).collect(),
            ready: BTreeSet::new(),
            skipped: vec![false; steps.len()],
            running: 0,
            limit: limit.max(1),
            stopped: false,
        }
    }

    /// How many steps run now.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Takes an event in; says what follows from it.
    pub fn on(&mut self, happened: Happened) -> Vec<Command> {
        let mut commands = Vec::new();
        match happened {
            Happened::Begin => {
                let first: Vec<usize> =
                    (0..self.waiting.len()).filter(|at| self.waiting[*at] == 0).collect();
                for at in first {
                    self.make_ready(at);
                }
            }
            Happened::Done(at) => {
                self.running -= 1;
                self.release(at);
            }
            Happened::Failed(at) => {
                self.running -= 1;
                self.skip_after(at, &mut commands);
            }
            Happened::Stop => self.stopped = true,
        }
        if self.stopped {
            self.skip_all(&mut commands);
        }
        while self.running < self.limit {
            let Some(at) = self.ready.pop_first() else { break };
            self.running += 1;
            commands.push(Command::Run(at));
        }
        commands
    }

    /// A join does nothing, so it is done as soon as it may be. Worked off from a list: joins may form chains.
    fn make_ready(&mut self, at: usize) {
        let mut list = vec![at];
        while let Some(at) = list.pop() {
            if self.skipped[at] {
                continue;
            }
            if !self.joins[at] {
                self.ready.insert(at);
                continue;
            }
            for follower in self.followers[at].clone() {
                self.waiting[follower] -= 1;
                if self.waiting[follower] == 0 {
                    list.push(follower);
                }
            }
        }
    }

    fn release(&mut self, at: usize) {
        for follower in self.followers[at].clone() {
            self.waiting[follower] -= 1;
            if self.waiting[follower] == 0 {
                self.make_ready(follower);
            }
        }
    }

    fn skip_after(&mut self, at: usize, commands: &mut Vec<Command>) {
        let mut list = self.followers[at].clone();
        while let Some(at) = list.pop() {
            if std::mem::replace(&mut self.skipped[at], true) {
                continue;
            }
            if !self.joins[at] {
                commands.push(Command::Skip(at));
            }
            list.extend(self.followers[at].iter().copied());
        }
    }

    fn skip_all(&mut self, commands: &mut Vec<Command>) {
        let ready = std::mem::take(&mut self.ready);
        for at in ready {
            self.skipped[at] = true;
            commands.push(Command::Skip(at));
        }
        for at in 0..self.waiting.len() {
            if self.waiting[at] > 0
                && !std::mem::replace(&mut self.skipped[at], true)
                && !self.joins[at]
            {
                commands.push(Command::Skip(at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::StepKind;

    fn steps(after: &[(&[usize], bool)]) -> Vec<Step> {
        after
            .iter()
            .enumerate()
            .map(|(at, (after, join))| Step {
                kind: if *join { StepKind::Join } else { StepKind::Create },
                change: (!join).then_some(at),
                after: after.to_vec(),
            })
            .collect()
    }

    #[test]
    fn steps_run_when_all_before_them_are_done() {
        use Command::Run;
        let steps = steps(&[(&[], false), (&[], false), (&[0, 1], true), (&[2], false)]);
        let mut schedule = Schedule::new(&steps, 10);
        assert_eq!(schedule.on(Happened::Begin), [Run(0), Run(1)]);
        assert_eq!(schedule.on(Happened::Done(1)), []);
        assert_eq!(schedule.on(Happened::Done(0)), [Run(3)]);
    }

    #[test]
    fn a_failure_stops_only_what_needs_it() {
        use Command::{Run, Skip};
        let steps =
            steps(&[(&[], false), (&[], false), (&[0], false), (&[1], false), (&[2, 3], false)]);
        let mut schedule = Schedule::new(&steps, 1);
        assert_eq!(schedule.on(Happened::Begin), [Run(0)]);
        assert_eq!(schedule.on(Happened::Failed(0)), [Skip(2), Skip(4), Run(1)]);
        assert_eq!(schedule.on(Happened::Done(1)), [Run(3)]);
        assert_eq!(schedule.on(Happened::Done(3)), []);
    }

    #[test]
    fn after_a_stop_nothing_new_begins() {
        use Command::{Run, Skip};
        let steps = steps(&[(&[], false), (&[], false), (&[0], false)]);
        let mut schedule = Schedule::new(&steps, 1);
        assert_eq!(schedule.on(Happened::Begin), [Run(0)]);
        assert_eq!(schedule.on(Happened::Stop), [Skip(1), Skip(2)]);
        assert_eq!(schedule.on(Happened::Done(0)), []);
        assert_eq!(schedule.running(), 0);
    }
}
