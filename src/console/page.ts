/** The operator's page, in one piece: it asks the API every few seconds and shows texts as texts only. */
export const CONSOLE_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>refiner-sync</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
  h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
  .ok, .delivered { color: #18794e; } .degraded, .retrying, .half_open, .throttled, .pending, .leased { color: #ad5700; }
  .down, .dead, .open, .unauthorized { color: #c62a2f; } .skipped { opacity: .6; }
</style>
</head>
<body>
<h1>refiner-sync: <span id="status">…</span></h1>
<ul id="problems"></ul>
<h2>Destinations</h2>
<table><thead><tr><th>tenant<th>destination<th>state<th>pending<th>oldest<th>dead<th>last success<th>last error</thead>
<tbody id="lanes"></tbody></table>
<h2>Newest deliveries</h2>
<table><thead><tr><th>id<th>tenant<th>destination<th>call<th>state<th>attempts<th>since<th>reason</thead>
<tbody id="deliveries"></tbody></table>
<script>
  const byId = (id) => document.getElementById(id)
  const cell = (text, name) => {
    const td = document.createElement('td')
    td.textContent = text ?? ''
    if (name) td.className = name
    return td
  }
  const fill = (id, rows) => byId(id).replaceChildren(...rows.map((cells) => {
    const tr = document.createElement('tr')
    tr.append(...cells)
    return tr
  }))
  async function show() {
    try {
      const [health, deliveries] = await Promise.all(['/api/status', '/api/deliveries'].map(async (path) => {
        const response = await fetch(location.origin + path)
        if (!response.ok) throw new Error(path + ' answered ' + response.status)
        return response.json()
      }))
      byId('status').textContent = health.status + ', version ' + health.version
      byId('status').className = health.status
      byId('problems').replaceChildren(...health.problems.map((problem) => {
        const li = document.createElement('li')
        li.textContent = problem
        return li
      }))
      fill('lanes', Object.entries(health.tenants).flatMap(([name, tenant]) =>
        Object.entries(tenant.destinations).map(([destination, lane]) => [
          cell(name), cell(destination), cell(lane.state, lane.state), cell(lane.pending),
          cell(lane.oldest_pending_age_seconds === null ? '' : lane.oldest_pending_age_seconds + ' s'),
          cell(lane.dead), cell(lane.last_success), cell(lane.last_error && lane.last_error.message),
        ])))
      fill('deliveries', deliveries.map((delivery) => [
        cell(delivery.id), cell(delivery.tenant), cell(delivery.destination), cell(delivery.call),
        cell(delivery.state, delivery.state), cell(delivery.attempts),
        cell(delivery.created_at), cell(delivery.reason),
      ]))
    } catch (error) {
      byId('status').textContent = 'no answer: ' + error.message
      byId('status').className = 'down'
    }
  }
  show()
  setInterval(show, 3000)
</script>
</body>
</html>
`
