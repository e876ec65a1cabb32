//! Events in any order lead to the same end, and absence never removes.

use outhaul_hub_core::Origin;
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::report::Health;
use proptest::prelude::*;

use crate::agent::Agent;
use crate::world::{NAMESPACE, World, record, spec};

#[derive(Debug, Clone, Copy)]
enum Step {
    Create(usize),
    Edit(usize),
    See(usize),
    Vanish(usize),
    LoseEnvironment,
    LosePlane,
    SetUp,
    Dial,
    Hang,
    Listen,
    Report(usize),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let app = 0..3_usize;
    prop_oneof![
        3 => app.clone().prop_map(Step::Create),
        3 => app.clone().prop_map(Step::Edit),
        2 => app.clone().prop_map(Step::See),
        1 => app.clone().prop_map(Step::Vanish),
        1 => Just(Step::LoseEnvironment),
        1 => Just(Step::LosePlane),
        2 => Just(Step::SetUp),
        2 => Just(Step::Dial),
        1 => Just(Step::Hang),
        4 => Just(Step::Listen),
        3 => app.prop_map(Step::Report),
        2 => Just(Step::Tick),
    ]
}

fn take(world: &mut World, agent: &mut Agent, step: Step) {
    let name = |index: usize| format!("app-{index}");
    match step {
        Step::Create(index) if !world.exists(&name(index)) => {
            world.create(&name(index));
        }
        Step::Edit(index) if world.exists(&name(index)) => world.edit(&name(index), &spec("dev", 1 + index)),
        Step::See(index) if world.exists(&name(index)) => world.see(&name(index), Origin::Watch),
        // A watch that lost an object, while the API server still has it.
        Step::Vanish(index) if world.exists(&name(index)) => {
            let key = world.key(&name(index));
            world.fleet.vanished(&key, world.now);
        }
        Step::LoseEnvironment => {
            let environment = (NAMESPACE.to_owned(), "dev".to_owned());
            world.fleet.environment(environment, None, world.now);
        }
        Step::LosePlane => world.fleet.plane_vanished(&World::plane("eu"), world.now),
        Step::SetUp => world.set_up(),
        Step::Dial => drop(agent.dial(world)),
        Step::Hang => world.fleet.closed(agent.session, world.now),
        Step::Listen => agent.listen(world),
        Step::Report(index) if world.exists(&name(index)) => {
            let key = world.key(&name(index));
            if agent.recorded.get(&key) == Some(&true) {
                agent.report(world, &key, &[Health::Progressing]);
            }
        }
        Step::Tick => world.advance(core::time::Duration::from_millis(700)),
        Step::Create(_) | Step::Edit(_) | Step::See(_) | Step::Vanish(_) | Step::Report(_) => {}
    }
    assert!(
        agent.heads.values().all(|head| head.state == HeadState::Present),
        "{step:?} removed something that nobody deleted"
    );
}

/// Everything is there again and seen, the agent is back, and enough time passes.
fn heal(world: &mut World, agent: &mut Agent) {
    world.set_up();
    for index in 0..3 {
        let name = format!("app-{index}");
        if world.exists(&name) {
            world.see(&name, Origin::List);
        }
    }
    agent.dial(world).unwrap();
    for _ in 0..3 {
        for key in agent.heads.keys().cloned().collect::<Vec<_>>() {
            agent.report(world, &key, &[Health::Healthy]);
        }
        agent.listen(world);
        world.advance(core::time::Duration::from_secs(40));
    }
    agent.listen(world);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn after_any_events_the_plane_converges_and_nothing_was_removed(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        world.see_plane(record("eu", "dp-eu"));
        let mut agent = Agent::connect(&mut world, "eu");
        for step in steps {
            take(&mut world, &mut agent, step);
        }
        heal(&mut world, &mut agent);
        for index in 0..3 {
            let name = format!("app-{index}");
            if !world.exists(&name) {
                continue;
            }
            let key = world.key(&name);
            let generation = world.object(&name)["metadata"]["generation"].as_u64().unwrap();
            prop_assert_eq!(agent.heads[&key].version.generation.0, generation);
            prop_assert!(agent.recorded[&key]);
            prop_assert_eq!(world.ready(&name).0, "True");
        }
        let written = world.writes.len();
        agent.dial(&mut world).unwrap();
        prop_assert_eq!(agent.heard.len(), 2, "a greeting: {:?}", agent.heard);
        let resources = world.writes[written..].iter().filter(|write| !write.subject.to_string().starts_with("Plane"));
        prop_assert_eq!(resources.count(), 0);
    }
}
