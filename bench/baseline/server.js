/**
 * What one writes in an afternoon: takes Refiner's webhooks, keeps each in SQLite before it answers, and a timer posts
 * what waits to Segment, a hundred webhooks at a time, and marks them as sent. One attempt after the other, no order by
 * user, no limits of Segment's, no copies recognised.
 * Run: node server.js FILE SEGMENT_ENDPOINT
 */
import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import Fastify from 'fastify'

const [file, endpoint] = process.argv.slice(2)
const ROWS_A_BATCH = 100
const EVERY_MS = 20

const db = new Database(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('create table if not exists webhooks (id integer primary key, body text not null, sent_at integer)')
db.exec('create index if not exists unsent on webhooks (id) where sent_at is null')
const insert = db.prepare('insert into webhooks (body) values (?)')
const unsent = db.prepare('select id, body from webhooks where sent_at is null order by id limit ?')
const markSent = db.prepare('update webhooks set sent_at = ? where sent_at is null and id <= ?')

const app = Fastify({ logger: false, bodyLimit: 1024 * 1024 })

app.post('/v1/refiner', (request, reply) => {
  if (request.headers.authorization !== 'Bearer bench-webhook-secret')
    return reply.code(401).send({ ok: false })
  insert.run(JSON.stringify(request.body))
  return reply.send({ ok: true })
})

async function sendSome() {
  const rows = unsent.all(ROWS_A_BATCH)
  if (rows.length > 0 && (await post(rows.flatMap(({ body }) => messagesOf(JSON.parse(body)))))) {
    markSent.run(Date.now(), rows.at(-1).id)
  }
  setTimeout(() => void sendSome(), rows.length === ROWS_A_BATCH ? 0 : EVERY_MS)
}

async function post(batch) {
  try {
    const response = await fetch(`${endpoint}/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('w:')}` },
      body: JSON.stringify({ batch }),
    })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

function messagesOf(webhook) {
  const { remote_id: userId, email, account, response, form } = webhook
  const common = { userId, timestamp: response.completed_at, integrations: { Refiner: false } }
  const messageId = (type) => createHash('sha256').update(`${response.uuid} ${type}`).digest('hex')
  const answers = Object.fromEntries(Object.entries(response.data).filter(([, answer]) => answer !== null))
  const traits = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [`refiner_${name}`, answer]),
  )
  const messages = [
    {
      type: 'identify',
      messageId: messageId('identify'),
      ...common,
      traits: { ...traits, refiner_email: email },
    },
  ]
  if (account?.remote_id) {
    const groupTraits = Object.entries(account.attributes).filter(([, value]) => value !== null)
    messages.push({
      type: 'group',
      messageId: messageId('group'),
      ...common,
      groupId: account.remote_id,
      traits: Object.fromEntries(groupTraits.map(([name, value]) => [`refiner_${name}`, value])),
    })
  }
  messages.push({
    type: 'track',
    messageId: messageId('track'),
    ...common,
    event: 'Completed Survey',
    properties: {
      survey_uuid: form.uuid,
      survey_name: form.name,
      response_uuid: response.uuid,
      first_shown_at: response.first_shown_at,
      completed_at: response.completed_at,
      tags: response.tags,
      ...answers,
    },
  })
  return messages
}

await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`http://127.0.0.1:${app.server.address().port}`)
void sendSome()
