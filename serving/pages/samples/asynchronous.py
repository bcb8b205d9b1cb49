import asyncio
from pathlib import Path

from serving.client import AsyncClient


async def main() -> None:
    client = AsyncClient("SITE")
    jobs = await asyncio.gather(*(client.submit([path]) for path in Path().glob("*.jpg")))
    for state in await asyncio.gather(*map(client.wait, jobs)):
        await client.download(state["faces"][0]["links"], ["glb"], Path("result") / state["id"])


asyncio.run(main())
