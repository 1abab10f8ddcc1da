const button = document.getElementById("send");
const sent = document.getElementById("sent");

button?.addEventListener("click", async () => {
  const headers = { "X-CSRFToken": button.dataset.token };
  const answer = await fetch("/demo/inbox/send/", { method: "POST", headers, credentials: "same-origin" });
  sent.textContent = answer.ok ? "Accepted." : `Refused: ${answer.status}`;
});
