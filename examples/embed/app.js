/** The page of the host application: it asks its own back end, and lets Seatrial's element show. */

const place = document.getElementById("place");
const trouble = document.getElementById("trouble");

const asked = fetch("/server").then((answer) => answer.json());

/** Ask our back end, which has the API token. */
async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`The application answered ${answer.status}.`);
  return answer.json();
}

document.getElementById("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  trouble.textContent = "";
  try {
    const { server } = await asked;
    const { test, token } = await post("/tests", { query: event.target.query.value });
    const shown = document.createElement("seatrial-test");
    shown.setAttribute("server", server);
    shown.setAttribute("test", test);
    shown.setAttribute("token", token);
    place.replaceChildren(shown);
  } catch (error) {
    trouble.textContent = error.message;
  }
});

// The token is good for an hour. A test may be looked at for longer: hand in a new one.
place.addEventListener("seatrial-token-expired", async ({ target, detail }) => {
  try {
    const { token } = await post(`/tests/${detail.test}/token`);
    target.setAttribute("token", token);
  } catch (error) {
    trouble.textContent = error.message;
  }
});

const { server } = await asked;
const script = document.createElement("script");
script.src = `${server}/embed.js`;
document.head.append(script);
