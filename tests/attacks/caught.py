"""Which attack must catch which weaker guard of weakened.py, or runner of weakened_runner.py."""

CAUGHT_BY = {
    "merges_what_the_client_wrote": "HostConfig beside the labels",
    "asks_for_no_key": "the version without a key",
    "compares_the_beginning_of_the_key": "half a key and a longer one",
    "trusts_a_connection_that_was_greeted": "a request behind the ping",
    "takes_any_container_for_its_own": "the output of another container",
    "passes_on_what_only_reads": "a file of another container",
    "takes_any_parameter": "a variable as a parameter",
    "glues_parameters_into_the_command": "a shell in a parameter",
    "leaves_jobs_to_the_runner": "a job that does not want to end",
    "passes_all_output": "output far beyond its limit",
    "passes_all_artifacts": "artifacts without end",
    "mounts_for_writing": "something planted in a repository",
    "runs_as_the_image_says": "a program that becomes root",
    "gives_a_network": "a network from inside",
    "starts_what_has_ended": "a container that runs twice",
    "counts_no_containers": "more containers than there may be",
    "takes_what_is_not_measured_for_nothing": "folders deeper than a path",
    "takes_anybodys_job_files": "a job's file that others can write",
}

RUNNERS_CAUGHT_BY = {
    "shows_any_job": "the output of another caller's job",
    "runs_whatever_there_is": "a job that the token does not allow",
    "shares_idempotency_keys": "an idempotency key of another caller",
    "counts_before_it_writes": "forty jobs at once",
    "begins_all_that_waits": "forty jobs by both doors at once",
    "takes_a_token_from_the_query": "a token in other places",
    "follows_the_names_of_artifacts": "an artifact's name that leads away",
    "unpacks_artifacts_as_they_are": "artifacts that are links to the runner's files",
}
GUARDS_CAUGHT_THROUGH_THE_RUNNER = {
    "mounts_for_writing": "a Makefile that leaves its container",
    "counts_no_files": "empty files without end",
}
