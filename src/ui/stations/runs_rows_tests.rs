//! Sorting, filtering and grouping of the table of runs.

use std::collections::BTreeMap;

use super::*;
use crate::runs::RunStatus;

fn run(name: &str, steps_done: usize, last_loss: Option<f64>) -> RunEntry {
    RunEntry {
        folder: name.into(),
        name: name.into(),
        started: String::new(),
        steps_done,
        steps: 85,
        status: RunStatus::Finished,
        last_loss,
        error: None,
    }
}

fn digest(alignment: &str) -> Arc<RunDigest> {
    Arc::new(RunDigest {
        settings: BTreeMap::from([("objective.alignment", alignment.to_owned())]),
        validation: None,
        test: None,
        mean_cosine: Some(0.5),
        effective_rank: None,
        alarms: 0,
        standing: Vec::new(),
    })
}

fn names(listed: &Listed<'_>) -> Vec<String> {
    let rows = listed.rows.iter();
    rows.map(|row| match row {
        Row::Group { value, runs } => format!("{value} × {runs}"),
        Row::Run(run, _) => run.name.clone(),
    })
    .collect()
}

#[test]
fn rows_are_filtered_and_sorted_both_ways() {
    let runs = [
        run("aligned", 85, Some(1.5)),
        run("collapse", 40, None),
        run("align-2", 60, Some(0.5)),
    ];
    let all = || runs.iter().map(|run| (run, None)).collect::<Vec<_>>();
    let mut table = RunsTable {
        by: Column::Steps,
        filter: "ALIGN".into(),
        ..RunsTable::default()
    };
    assert_eq!(names(&table.rows(all())), ["aligned", "align-2"]);
    table.sort(Column::Steps);
    assert_eq!(names(&table.rows(all())), ["align-2", "aligned"]);
    table.filter.clear();
    table.sort(Column::Loss);
    assert_eq!(
        names(&table.rows(all())),
        ["aligned", "align-2", "collapse"],
        "no loss is last"
    );
    table.sort(Column::Loss);
    assert_eq!(
        names(&table.rows(all())),
        ["align-2", "aligned", "collapse"],
        "either way"
    );
    table.state = Some("failed");
    assert_eq!(table.rows(all()).runs(), 0);
}

#[test]
fn numbers_in_settings_sort_as_numbers_and_groups_keep_the_order_inside() {
    let runs = [
        run("a", 10, None),
        run("b", 30, None),
        run("c", 20, None),
        run("d", 5, None),
    ];
    let values = ["10", "2", "10", "0.5"];
    let all = || {
        let with = runs.iter().zip(values).map(|(run, value)| (run, Some(digest(value))));
        with.collect::<Vec<_>>()
    };
    let mut table = RunsTable {
        by: Column::Steps,
        group: Some(Column::Setting("objective.alignment")),
        ..RunsTable::default()
    };
    assert_eq!(
        names(&table.rows(all())),
        ["0.5 × 1", "d", "2 × 1", "b", "10 × 2", "c", "a"]
    );
    table.folded.insert("10".into());
    let listed = table.rows(all());
    assert_eq!(names(&listed), ["0.5 × 1", "d", "2 × 1", "b", "10 × 2"]);
    assert_eq!((listed.runs(), listed.usable().count()), (4, 2));
}
