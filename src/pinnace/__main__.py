"""`python -m pinnace`, the same as `pinnace`."""

from pinnace.cli import main

raise SystemExit(main())
