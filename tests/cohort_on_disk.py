"""A hand-written cohort of three patients with all ten raw tables, and a way to put it on disk."""

from __future__ import annotations

from pathlib import Path

STUDY = """
kind = "own"
title = "three patients"
citation = "written by hand"
decimal = ","
[time]
origin = "maintenance_start"
unit = "day"
date_order = "DMY"
[[arms]]
key = "IFN+IM"
label = "Interferon + imatinib"
aliases = ["IM+IFN"]
[[arms]]
key = "IM"
label = "Imatinib"
reference = true
"""

#: Patient 01 relapsed and died, 02 is in remission, 03 died in remission. Every cell is read natively.
TABLES = {
    "patients": """patient_id;arm;sex;birth_year;diagnosis_date;cr_date;maintenance_start;transcript
01;IFN+IM;F;1938;10.1.2003;20.3.2003;1.12.2003;p190
02;IFN+IM;M;1940;2003-02-11;2003-04-15;2004-01-15;p210
03;IM;M;1935;5.5.2003;10.7.2003;2.2.2004;
""",
    "chemotherapy_cycles": """patient_id;cycle;phase;start_date;end_date
01;1;induction;15.1.2003;10.2.2003
01;2;consolidation;1.4.2003;20.4.2003
02;1;induction;15.2.2003;20.3.2003
""",
    "dosing": """patient_id;drug;dose;unit;frequency;start_date;end_date;reason_for_change
01;interferon alfa-2a;1;MU;TIW;1.12.2003;28.12.2003;escalation
01;interferon alfa-2a;3;MU;TIW;29.12.2003;1.9.2004;relapse
01;imatinib;600;mg;QD;1.12.2003;1.9.2004;relapse
02;imatinib;600;mg;QD;15.1.2004;;
""",
    "adverse_events": """patient_id;term;start_date;end_date;grade;related_ifn;related_imatinib;action_taken;serious
01;Depression;5.1.2004;20.2.2004;2;Y;N;IFN reduced;N
02;Fatigue;1.2.2004;;1;N;Y;none;N
""",
    "laboratory": """patient_id;date;test;value;unit;lower_limit_normal;upper_limit_normal
01;1.12.2003;ANC;2,1;10^9/L;1,8;7,7
01;5.1.2004;ANC;0,9;10^9/L;1,8;7,7
02;15.1.2004;HB;11,2;g/dL;12;16
03;2.2.2004;CREAT;1,1;mg/dL;0,5;1,2
""",
    "mrd": """patient_id;date;source;bcr_abl_copies;abl_copies;result_text;detection_limit;laboratory
01;1.12.2003;BM;25;50000;0,05;0,002;A
01;1.3.2004;PB;0;40000;neg;0,0025;A
02;15.1.2004;BM;3;30000;PNQ;0,0033;A
""",
    "mutations": """patient_id;date;method;variant;allele_fraction
01;1.9.2004;direct sequencing;T315I;60
02;15.1.2004;direct sequencing;none;
""",
    "remission_events": """patient_id;date;event;site
01;1.9.2004;relapse;BM
""",
    "disposition": """patient_id;last_contact;status;death_date;cause_of_death
01;1.3.2005;died after relapse;1.3.2005;leukaemia
02;1.6.2008;alive in remission;;
03;9.9.2006;died in remission;9.9.2006;stroke
""",
    "procedures": """patient_id;date;procedure
01;20.1.2003;intrathecal
02;20.2.2003;CNS irradiation
""",
}


def put(folder: Path, tables: dict[str, str | bytes | None], study: str = STUDY) -> Path:
    """Write a cohort named `mini` below a root of its own; a table given as None is left out."""
    home = folder / "data" / "raw" / "mini"
    home.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("")
    (home / "study.toml").write_text(study, encoding="utf-8")
    for name, content in (TABLES | tables).items():
        (home / f"{name}.csv").unlink(missing_ok=True)
        if content is not None:
            (home / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return home
