site=SITE
job=$(curl --fail --silent --form photo=@photo.jpg $site/api/v1/jobs | grep -o '/api/v1/jobs/[^"/]*' | head -1)
until curl --fail --silent $site$job | grep -q '"status": *"done"'; do sleep 1; done
curl --fail --silent --output face.glb $site$job/faces/0/face.glb
curl --fail --silent --request DELETE $site$job
