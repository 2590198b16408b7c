# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The command line as a whole: help, exit codes, one line per failure."""

import errno
import os
import subprocess
import sys

import pytest

from hf_vdrep.cli import world
from hf_vdrep.cli.failures import describe
from hf_vdrep.cli.main import COMMANDS, main


def run(*arguments, **options):
    command = [sys.executable, "-m", "hf_vdrep.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def installed(capsys):
    main(["--help"])
    listed = capsys.readouterr().out
    return [name for name in COMMANDS if f"\n    {name} " in listed]


def test_help_imports_nothing_heavy():
    code = (
        "import sys, time; start = time.process_time(); from hf_vdrep.cli.main import main; main(['--help']);"
        "main(['inspect', '--help']); spent = time.process_time() - start;"
        "heavy = {'torch', 'numpy', 'matplotlib', 'av', 'diffusers', 'PIL'} & set(sys.modules);"
        "sys.exit(f'{heavy} {spent}' if heavy or spent > 0.5 else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_explains_itself_with_examples(capsys):
    names = installed(capsys)
    assert {"inspect", "generate", "world"} <= set(names)
    for name in names:
        assert main([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert "examples:" in out and f"hf-vdrep {name}" in out and "--debug" in out


def test_version_and_no_command(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hf_vdrep 0.")
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["inspect", "--bogus"], "unrecognized arguments: --bogus"),
        (["inspect", "--layer", "deep"], "--layer: must be a block index or a relative depth in (0, 1], got 'deep'"),
        (["inspect", "--frames", "0"], "--frames/--num-frames: must be at least 1, got 0"),
        (["inspect", "--fps", "nan"], "--fps: must be a number above 0, got 'nan'"),
        (["world", "-1"], "INDEX"),
        (["world", "--split", "dev"], "--split: invalid choice: 'dev'"),
        (["generate", "--num", "many"], "--num: must be a whole number, got 'many'"),
    ],
)
def test_wrong_arguments_end_in_one_line_and_2(capsys, arguments, words):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("hf-vdrep: error: ") and err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (ValueError("timestep must lie in [0, 999],\n  got 1200"), "timestep must lie in [0, 999], got 1200", 2),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.mp4"), "a.mp4: No such file", 2),
        (OSError("folder must hold a readable vae/"), "folder must hold a readable vae/", 2),
        (OSError(errno.ENOSPC, "No space left on device", "/x/out.png"), "/x/out.png: No space left on device", 1),
        (MemoryError(), "out of memory", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (RuntimeError("boom"), "internal error: RuntimeError: boom (--debug shows where)", 1),
        (ModuleNotFoundError("No module named 'gradio'", name="gradio"), "'gradio' is needed", 1),
    ],
)
def test_failures_are_one_line_with_the_right_code(monkeypatch, capsys, error, line, code):
    def fail(args):
        raise error

    monkeypatch.setattr(world, "run", fail)
    assert main(["world"]) == code
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1 and "Traceback" not in err
    assert describe(error)[1] == code


def test_debug_shows_the_traceback(monkeypatch, capsys):
    def fail(args):
        raise ValueError("here")

    monkeypatch.setattr(world, "run", fail)
    assert main(["world", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err and err.endswith("hf-vdrep: error: here\n")


def test_process_hands_on_the_exit_code_and_survives_a_closed_pipe(tmp_path):
    done = run("inspect", str(tmp_path / "none.mp4"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "none.mp4 does not exist" in done.stderr
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "hf_vdrep.cli.main", "--help"], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert b"Traceback" not in process.communicate(timeout=60)[1]


def test_missing_file_costs_no_wait_for_torch(tmp_path):
    code = "import sys; from hf_vdrep.cli import main; main(['inspect', 'x.mp4']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(("words", "meant"), [(["comprae"], "compare"), (["study", "rnu", "all"], "run")])
def test_a_mistyped_word_gets_the_nearest(words, meant, capsys):
    assert main(words) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_a_word_like_no_other_gets_none(capsys):
    assert main(["zzzzzz"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_help_is_a_word_too(capsys):
    assert main(["help"]) == 0
    assert "compare" in capsys.readouterr().out


def test_debug_may_stand_before_the_command(capsys):
    assert main(["--debug", "sizes"]) == 0
    assert capsys.readouterr().out
