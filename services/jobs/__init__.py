"""What a job is: read from its file, and asked for with parameters.

    jobs = Catalogue(Path("/srv/data/openclaw/runner/jobs"), owner=0)
    job = jobs.current().jobs["audit"]
    job.environment({"level": "high"})     # {"PARAM_LEVEL": "high", "PARAM_DEPTH": "5"}
    job.schema()                           # the parameters as JSON Schema

It contacts nothing and needs nothing but Python and PyYAML: guard, runner and `clup check` read job
files with the same code.
"""

from services.jobs.catalogue import Catalogue, Jobs, read_folder
from services.jobs.definition import Job, read_job
from services.jobs.limits import Limits
from services.jobs.problem import JobError, Problem

__all__ = [
    "Catalogue",
    "Job",
    "JobError",
    "Jobs",
    "Limits",
    "Problem",
    "read_folder",
    "read_job",
]
