from pathlib import Path

from serving.client import Client  # pip install 'deep3d[client]'

client = Client("SITE")
job = client.submit([Path("photo.jpg")])
state = client.wait(job)
for face in state["faces"]:
    client.download(face["links"], ["glb", "texture"], Path("result"))
client.delete(job)
