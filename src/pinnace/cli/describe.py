"""Problems as text."""

from pinnace import zoo


def catalogue() -> str:
    """All problems: name, title and equation of each."""
    width = max(map(len, zoo.PROBLEMS))
    lines = []
    for name, problem in zoo.PROBLEMS.items():
        lines += [f"{name:<{width}}  {problem.title}", f"{'':<{width}}  {problem.equation}", ""]
    return "\n".join([*lines, "pinnace list NAME shows the settings of one; pinnace solve NAME solves it."])


def description(problem: type[zoo.Problem]) -> str:
    """One problem: equation, reference, and every setting with its default."""
    rows = [
        (name, f"{one.default:.6g}" if isinstance(one.default, float) else str(one.default), one.metadata["meaning"])
        for name, one in zoo.settings_of(problem).items()
    ]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [
        f"{problem.name}: {problem.title}",
        f"  {problem.equation}",
        f"  reference: {problem.source}; good to {problem.floor:.0e}",
        f"  losses: {', '.join(problem().losses())}; weights of them by --set loss.NAME=VALUE",
        "",
        "settings, to be changed by --set NAME=VALUE, or in a file by --config",
    ]
    lines += [f"  {name:<{first}}  {default:<{second}}  {meaning}" for name, default, meaning in rows]
    return "\n".join(lines)
