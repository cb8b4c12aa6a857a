"""`connect plugin new`: writes a whole project for an element, whose tests, types and style pass at once.

1. `Answers` (answers) are the author's answers, checked one by one.
2. `AUTHS` (auths) and `PAGINGS` (pagings) hold the lines that differ between projects, one entry for each kind.
3. `project_files` (compose) fills the templates in `templates/` with these lines.
4. `write_project` (write) writes all files into an empty directory, or none.
"""

from .answers import Answers
from .auths import AUTHS
from .compose import project_files
from .pagings import PAGINGS
from .write import write_project

__all__ = ["AUTHS", "PAGINGS", "Answers", "project_files", "write_project"]
