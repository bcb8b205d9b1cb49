// For browsers that know no modules: pictures in the place of a face that can be turned, and looking again at a job.
var viewers = document.querySelectorAll("[data-viewer]");
for (var number = 0; number < viewers.length; number++) viewers[number].classList.add("failed");
if (!viewers.length) setTimeout(function () { location.reload(); }, 3000);
