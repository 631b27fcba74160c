"""The errors that end a command, each with the exit code an operator scripts against."""


class MutualValueError(Exception):
    """Base of every error with a message meant for a person; `exit_code` is the command's."""

    exit_code = 2


class ConfigurationError(MutualValueError):
    """The project folder, its configuration or a contract is wrong; nothing was done."""


class CheckFailure(MutualValueError):
    """The data failed a critical check; nothing was published."""

    exit_code = 1


class LockHeld(MutualValueError):
    """Another run works on this project folder."""

    exit_code = 3
