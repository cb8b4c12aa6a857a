"""`connect plugin new`: a whole project for an element, whose own tests, types and style are in order.

1. `Answers` (answers) are what the author said, checked one by one.
2. `AUTHS` (auths) and `PAGINGS` (pagings) are the pieces that differ: each kind is the lines that its projects have.
3. `project_files` (compose) fills the files in `templates/` with an answer's pieces.
4. `write_project` (write) writes them into an empty directory, all of them or none.
"""

from .answers import Answers
from .auths import AUTHS
from .compose import project_files
from .pagings import PAGINGS
from .write import write_project

__all__ = ["AUTHS", "PAGINGS", "Answers", "project_files", "write_project"]
