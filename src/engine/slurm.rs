//! A sweep as a Slurm job array: a task a trial, and a last job that makes the table.
//!
//! What sbatch reads from its environment (`SBATCH_PARTITION`, `SBATCH_ACCOUNT`, `SBATCH_TIMELIMIT`, ...) holds here as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{DeviceChoice, EngineError};
use crate::runs::Sweep;

/// Folder of the batch script and of the tasks' logs, in the sweep's folder.
const FOLDER: &str = "slurm";

/// What was handed over to Slurm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Id of the job array.
    pub array: String,
    /// Id of the job that makes the table when all tasks have ended.
    pub table: String,
    /// Tasks of the array.
    pub tasks: usize,
    /// Folder of the batch script and of the tasks' logs.
    pub logs: PathBuf,
}

/// Submits every trial of a sweep that is not done. A task that is killed is taken up where it was once it is requeued.
pub fn submit_to_slurm(sweep: &Sweep, device: DeviceChoice) -> Result<Submission, EngineError> {
    let folder = fs::canonicalize(&sweep.folder).unwrap_or_else(|_| sweep.folder.clone());
    let logs = folder.join(FOLDER);
    let script = logs.join("trial.sh");
    let failed = |message: String| EngineError::Slurm {
        message,
        script: script.clone(),
    };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let text = batch_script(&sweep.plan.file.name, &program, &folder, device);
    fs::create_dir_all(&logs)
        .and_then(|()| fs::write(&script, text))
        .map_err(|error| failed(error.to_string()))?;
    let open: Vec<String> = sweep.open_trials().map(|index| index.to_string()).collect();
    let array = sbatch(&[&format!("--array={}", open.join(",")), &script.to_string_lossy()]).map_err(failed)?;
    let table = format!("{} sweep {} --table", quoted(&program), quoted(&folder));
    let table = sbatch(&[
        &format!("--job-name={}-table", sweep.plan.file.name),
        &format!("--dependency=afterany:{array}"),
        &format!("--output={}", logs.join("table.log").display()),
        &format!("--wrap={table}"),
    ])
    .map_err(failed)?;
    Ok(Submission {
        array,
        table,
        tasks: open.len(),
        logs,
    })
}

/// The program replaces the shell, so that it is what Slurm's signals reach: it then writes a checkpoint and ends.
fn batch_script(name: &str, program: &Path, folder: &Path, device: DeviceChoice) -> String {
    let log = folder.join(FOLDER).join("%a.log");
    let (program, log, folder) = (quoted(program), log.display(), quoted(folder));
    format!(
        "#!/bin/bash\n\
         #SBATCH --job-name={name}\n\
         #SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --output=\"{log}\"\n\
         # As many compute threads as Slurm gives, whether or not it ties them to cores.\n\
         export RAYON_NUM_THREADS=\"${{SLURM_CPUS_ON_NODE:-1}}\"\n\
         exec {program} sweep {folder} --trial \"$SLURM_ARRAY_TASK_ID\" --device {device}\n"
    )
}

/// Submits a job and returns its id, or what sbatch said.
fn sbatch(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("sbatch").arg("--parsable").args(arguments).output();
    let output = output.map_err(|error| format!("sbatch cannot be run ({error}); is this a Slurm login node?"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    // With several clusters the id is followed by the cluster's name.
    let id = String::from_utf8_lossy(&output.stdout);
    Ok(id.trim().split(';').next().unwrap_or_default().to_owned())
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word_of_the_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
        let script = batch_script(
            "a",
            Path::new("/bin/llavacode"),
            Path::new("/runs/sweeps/a b"),
            DeviceChoice::Cpu,
        );
        assert!(
            script.ends_with(
                "exec '/bin/llavacode' sweep '/runs/sweeps/a b' --trial \"$SLURM_ARRAY_TASK_ID\" --device cpu\n"
            ),
            "{script}"
        );
    }
}
