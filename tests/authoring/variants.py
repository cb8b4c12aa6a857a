"""Every kind of project that `connect plugin new` writes, side by side in one folder."""

from __future__ import annotations

import itertools

from connectory.authoring.new import AUTHS, PAGINGS, Answers, project_files, write_project

KINDS = list(itertools.product(AUTHS, PAGINGS))


def name_of(auth, paging):
    return f"{auth}-{paging}"


def write_all(folder):
    """The projects' directories by (auth, paging)."""
    made = {}
    for auth, paging in KINDS:
        name = name_of(auth, paging)
        answers = Answers(name=name, url=f"https://api.{name}.example/v1", auth=auth, paging=paging)
        made[auth, paging] = folder / name
        write_project(project_files(answers), made[auth, paging])
    return made
