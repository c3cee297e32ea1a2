"""Sound files from elsewhere: one more voice, and the recordings that the spoken digits were made from.

The voice is that of the Debian package ``asterisk-core-sounds-en-wav``.

`python -m experiments sounds FOLDER` copies the ten digits into ``book/data/sounds`` and keeps the frames
of some announcements there. Which ones was chosen by their names: none that names a digit or asks to
press one. Nobody has transcribed them, and words that sound like a digit ("to", "for") are among them.
"""

import shutil
from pathlib import Path

import numpy as np

from .sound import PER_SECOND, Listener, mfcc, read_wave
from .speech import DIGITS, recordings
from .tasks import DATA

FOLDER = DATA / "sounds"
ANNOUNCEMENTS = (
    "agent-*", "all-circuits-*", "at-tone-*", "auth-*", "call-*", "cannot-*", "check-number-*",
    "conf-extended", "conf-full", "conf-has*", "conf-kicked", "conf-l*", "conf-m*", "conf-no*",
    "conf-otherinparty", "conf-placeintoconf", "conf-un*", "conf-user*join", "conf-waitforleader",
    "confbridge-b*", "confbridge-conf-*", "confbridge-dec-*", "confbridge-has-*", "confbridge-inc-*",
    "confbridge-lock*", "confbridge-mute*", "confbridge-only-participant", "confbridge-participants",
    "confbridge-pin-bad", "confbridge-re*", "confbridge-un*", "demo-echotest", "demo-no*",
    "demo-thanks", "dir-no*", "feature-*", "pbx-*", "please-try-*", "pls-hold-*", "privacy-incorrect",
    "privacy-unident", "queue-callswaiting", "queue-holdtime", "queue-periodic-*", "queue-thankyou",
    "queue-youarenext", "sorry-*", "tt-allbusy", "tt-somethingwrong", "tt-weasels", "unidentified-*",
    "vm-goodbye", "vm-intro", "vm-is*", "vm-leavemsg", "vm-mailboxfull", "vm-nobodyavail", "vm-rec-*",
    "vm-sorry",
)  # fmt: skip


def collect(folder: Path, out: Path = FOLDER) -> float:
    """Write the ten digits and the frames of the announcements; returns the seconds of the latter.

    ``folder``: the package's folder of English sounds. Raises FileNotFoundError where it lacks one.
    """
    out.mkdir(parents=True, exist_ok=True)
    for digit in range(DIGITS):
        shutil.copyfile(folder / "digits" / f"{digit}.wav", out / f"{digit}.wav")
    names = sorted(
        {path.name for pattern in ANNOUNCEMENTS for path in folder.glob(f"{pattern}.wav")}
    )
    if not names:
        raise FileNotFoundError(f"{folder} holds none of the announcements")
    listener = Listener()
    frames = [listener.hear(read_wave(folder / name)) for name in names]
    np.savez_compressed(
        out / "announcements.npz", X=np.concatenate(frames).astype(np.float16),
        lengths=np.array([len(x) for x in frames], np.int16), names=np.array(names),
    )  # fmt: skip
    return sum(map(len, frames)) / PER_SECOND


def held_against_recordings(folder: Path) -> dict[str, float | int]:
    """Our features of the data set's own recordings, held against the frames in `spoken_digits.npz`.

    ``folder``: ``recordings`` of the Free Spoken Digit Dataset, with files like ``7_jackson_32.wav``.
    Returns ``recordings``, their number; ``frames``; and ``largest``, the largest difference as a share of
    a recording's largest coefficient. Raises ValueError where a recording has another number of frames.
    """
    file, (frames, digit, voice) = np.load(DATA / "spoken_digits.npz"), recordings()
    largest = 0.0
    for row, there in enumerate(frames):
        name = f"{digit[row]}_{file['speakers'][voice[row]]}_{file['take'][row]}.wav"
        ours = mfcc(read_wave(folder / name))
        if ours.shape != there.shape:
            raise ValueError(f"{name} gives {len(ours)} frames, the data set has {len(there)}")
        largest = max(largest, float(np.abs(ours - there).max() / np.abs(there).max()))
    return {"recordings": len(frames), "frames": sum(map(len, frames)), "largest": largest}
