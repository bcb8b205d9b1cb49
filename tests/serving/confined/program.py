"""A confined process that does harm when it is asked to."""

import os
import sys
import time

from serving.confined import inside

MB = 1_000_000


def answer(call, content):
    inside.limit(seconds=0.3, megabytes=50)
    match call["do"]:
        case "run for ever":
            while True:
                pass
        case "take all memory":
            bytearray(100 * MB)
        case "use memory":
            bytearray(40 * MB)
        case "die":
            os._exit(3)
        case "answer too much":
            return {}, bytes(1001)
        case "write a file":
            with open(call["file"], "w") as file:
                file.write("a")
        case "sleep":
            time.sleep(60)
        case "mistake":
            raise ZeroDivisionError
        case "warn":
            os.write(1, b"warning")
            os.write(2, b"warning")
            sys.stderr.write("warning")
    return {"said": call["do"]}, content


if __name__ == "__main__":
    inside.write_no_files()
    inside.answer_calls(answer)
