import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import { BodyRoom, receiveBody } from '../../src/intake/receive-body.ts'
import { Refusal } from '../../src/intake/refusal.ts'
import { completedSurvey } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, type Loop, startLoop, until } from '../support/loop.ts'
import { exchange } from '../support/raw-client.ts'

/** Clients that mean harm, or are broken: each gets an answer that says what is wrong, and nobody else notices. */
let loop: Loop
const key = basic('acme-destination-key')
const webhook = bearer('acme-webhook-secret')
const LIMIT = 1024 * 1024

beforeAll(async () => {
  loop = await startLoop({
    tenants: { acme: {}, query: { refiner: { webhook: { in: 'query', secret: 'q', name: 'token' } } } },
    adminToken: 'admin',
  })
})
afterAll(async () => {
  const metrics = await (await fetch(`${loop.daemon.url}/metrics`)).text()
  expect(metrics).not.toContain('status="500"')
  await loop[Symbol.asyncDispose]()
})

async function refused(
  status: number,
  message: string,
  body: unknown,
  headers: Record<string, string> = key,
  path = '/v1/segment',
) {
  const response = await loop.post(path, body, headers)
  const answer = (await response.json()) as Record<string, unknown>
  expect({ status: response.status, answer }).toMatchObject({
    status,
    answer: { success: false, message: expect.stringContaining(message) },
  })
}

async function taken(body: unknown, headers = key, path = '/v1/segment') {
  const response = await loop.post(path, body, headers)
  expect({ status: response.status, answer: await response.text() }).toMatchObject({ status: 200 })
}

let count = 0
const identify = (over: Record<string, unknown> = {}) => {
  return { type: 'identify', userId: 'u', messageId: `hostile-${++count}`, ...over }
}
const head = (extra: string, path = '/v1/segment') =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${key['authorization']}\r\n${extra}\r\n`
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

describe('bodies over the limit', () => {
  test('are refused by their announced length before anything of them came', async () => {
    const [answer] = await exchange(loop.daemon.url, head('content-length: 10000000000\r\n'))
    expect(answer).toMatchObject({ status: 413, body: expect.stringContaining('send smaller batches') })
  })

  test('that do not end are read as far as the limit, and the connection is closed', async () => {
    const endless = head('transfer-encoding: chunked\r\n') + chunk('x'.repeat(65_536)).repeat(20)
    const answers = await exchange(loop.daemon.url, endless, 2)
    expect(answers.map(({ status }) => status)).toEqual([413])
    expect(answers[0]!.headers).toMatch(/^connection: close/im)
  })

  test.each([
    ['gzip', gzipSync(Buffer.alloc(200 * LIMIT))],
    ['deflate', deflateSync(Buffer.alloc(200 * LIMIT))],
  ])('are not decompressed beyond it: a bomb of %s', async (encoding, bomb) => {
    expect(bomb.byteLength).toBeLessThan(LIMIT)
    await refused(413, 'larger than', bomb, { ...key, 'content-encoding': encoding })
  })

  test('of a compression within a compression stay compressed', async () => {
    const twice = gzipSync(gzipSync(JSON.stringify(identify())))
    await refused(400, 'UTF-8', twice, { ...key, 'content-encoding': 'gzip' })
    await refused(400, 'not supported', twice, { ...key, 'content-encoding': 'gzip, gzip' })
  })

  test('broken off in a compression say so', async () => {
    const half = gzipSync(JSON.stringify(identify())).subarray(0, 20)
    await refused(400, 'does not decompress', half, { ...key, 'content-encoding': 'gzip' })
  })
})

describe('bodies that come too slowly, or all at once', () => {
  const slow = (size: number | null) => {
    const body = new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(10)) })
    const headers: Record<string, string> = size === null ? {} : { 'content-length': String(size) }
    return new Request('http://x/', { method: 'POST', body, headers })
  }

  test.each([
    ['small', 100],
    ['large', 100_000],
    ['of unknown length', null],
  ])('are given up after their time: %s', async (_name, size) => {
    const given = await receiveBody(slow(size), LIMIT, new BodyRoom(), 20)
    expect(given).toBeInstanceOf(Refusal)
    expect(given).toMatchObject({ status: 408, message: expect.stringContaining('send it in one go') })
  })

  test('share a bound on what is in memory, and give back what they took', async () => {
    const room = new BodyRoom(250_000)
    const post = (size: number) =>
      new Request('http://x/', {
        method: 'POST',
        body: 'x'.repeat(size),
        headers: { 'content-length': String(size) },
      })
    const waiting = new ReadableStream<Uint8Array>({ start: (to) => to.enqueue(new Uint8Array(200_000)) })
    const held = receiveBody(new Request('http://x/', { method: 'POST', body: waiting }), LIMIT, room, 200)
    await until(() => !room.take(100_000) || (room.giveBack(100_000), false))
    expect(await receiveBody(post(100_000), LIMIT, room)).toMatchObject({ status: 503 })
    // Small ones are not touched by it.
    expect(await receiveBody(post(10_000), LIMIT, room)).toHaveLength(10_000)
    expect(await held).toMatchObject({ status: 408 })
    expect(await receiveBody(post(100_000), LIMIT, room)).toHaveLength(100_000)
    expect(room.take(250_000)).toBe(true)
  })

  test('a client that goes away in mid-body, a hundred times over, disturbs nobody', async () => {
    const { port } = new URL(loop.daemon.url)
    const heads = ['content-length: 1000\r\n', 'content-length: 100000\r\n', 'transfer-encoding: chunked\r\n']
    const gone = Array.from({ length: 100 }, (_, n) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(`${head(heads[n % 3]!)}3e8\r\n{"type"`, () => socket.destroy())
      })
      socket.on('close', () => resolve()).on('error', () => {})
      return promise
    })
    await Promise.all(gone)
    await taken(identify())
  })
})

describe('JSON that is a trap', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

  test('nested 100,000 deep is refused wherever it stands', async () => {
    const message = JSON.stringify(identify({ traits: { deep: 0 } }))
    await refused(400, 'nested deeper', deep(100_000))
    await refused(400, 'nested deeper', '['.repeat(100_000))
    await refused(400, 'nested deeper', '{"a":'.repeat(100_000) + 1 + '}'.repeat(100_000))
    await refused(400, 'nested deeper', message.replace('"deep":0', `"deep":${deep(100_000)}`))
    const batch = `{"batch":[${message},${message.replace('"deep":0', `"deep":${deep(100_000)}`)}]}`
    await refused(400, 'nested deeper', batch, key, '/v1/batch')
    await refused(400, 'nested deeper', `{"triggered_event":${deep(100_000)}}`, webhook, '/v1/refiner/acme')
  })

  test('nested 100,000 deep tells nobody whether a key in the body is right', async () => {
    const body = `{"writeKey":"acme-destination-key","batch":${deep(100_000)}}`
    const response = await loop.post('/v1/batch', body)
    expect([400, 401]).toContain(response.status)
    await refused(401, 'API key', deep(100_000), { 'x-signature': 'aa' }, '/v1/segment/acme')
  })

  test('brackets within strings are no nesting', async () => {
    await taken(identify({ traits: { text: '[{'.repeat(1000), quoted: '"[\\'.repeat(100) } }))
  })

  test.each([
    ['a lone continuation byte', Buffer.from([0x22, 0x80, 0x22])],
    ['a cut sequence', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate as bytes', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('{"type":"identify"}', 'utf16le')],
  ])('that is no UTF-8 is refused: %s', async (_name, bytes) => {
    const response = await loop.post('/v1/segment', bytes, key)
    expect(response.status).toBe(400)
    expect(((await response.json()) as { message: string }).message).toMatch(/UTF-8|not valid JSON/)
  })

  test('NUL and lone surrogates are kept in traits, and refused in what tells people apart', async () => {
    for (const text of ['"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"']) {
      const body = JSON.stringify(identify({ userId: 0 })).replace('"userId":0', `"userId":${text}`)
      await refused(400, 'NUL or broken characters', body)
      await taken(JSON.stringify(identify({ traits: { x: 0 } })).replace('"x":0', `"x":${text}`))
    }
    await refused(400, 'not valid JSON', '{"type":"identify\u0000"}')
  })

  test('huge numbers do no harm', async () => {
    const digits = '9'.repeat(400)
    for (const number of [
      '1e999',
      '-1e999',
      digits,
      `-${digits}`,
      '1e-999',
      `0.${digits}`,
      `${digits}e${digits}`,
    ]) {
      await taken(JSON.stringify(identify({ traits: { n: 'N' } })).replace('"N"', number))
      const survey = JSON.stringify(
        completedSurvey({ attributes: { n: 'N' }, remote_id: `u${number.length}` }),
      )
      await taken(survey.replace('"N"', number), webhook, '/v1/refiner/acme')
    }
    const asId = JSON.stringify(identify({ userId: 'N' })).replace('"N"', digits)
    await taken(asId)
  })

  test('names that objects have anyway are names like others', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const trap = `{"${name}":{"isAdmin":true,"userId":"evil","type":"identify"}}`
      await refused(400, '"type" is missing', trap)
      await taken(JSON.stringify(identify({ traits: 0 })).replace('"traits":0', `"traits":${trap}`))
      await taken(
        `{"batch":[${JSON.stringify(identify())}],"context":${trap},"${name}":{}}`,
        key,
        '/v1/batch',
      )
      await taken(
        `{"triggered_event":"Completed Survey","response":${trap},"${name}":{}}`,
        webhook,
        '/v1/refiner/acme',
      )
    }
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  })

  test('ten thousand names, and one name ten thousand times, are taken or refused in words', async () => {
    const names = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]))
    await taken(identify({ traits: names }))
    await taken({ ...names, ...identify() })
    await taken(completedSurvey({ attributes: names }), webhook, '/v1/refiner/acme')
    const same = `{"type":"identify","userId":"first",${'"userId":"u",'.repeat(10_000)}"messageId":"same-${++count}"}`
    await taken(same)
  })

  test('of a name given twice the last counts, as in every parser of JSON', async () => {
    await refused(400, '"userId" is missing', '{"type":"identify","userId":"a","userId":null}')
    await refused(400, '"type" is missing', '{"type":"identify","userId":"a","type":""}')
  })
})

describe('HTTP that is broken', () => {
  test('requests one behind the other on a connection are answered in order', async () => {
    const bodies = ['{}', '[]', 'x', JSON.stringify(identify())]
    const requests = bodies.map((body) => head(`content-length: ${body.length}\r\n`) + body)
    const answers = await exchange(loop.daemon.url, requests.join(''), 4)
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 200])
    expect(answers.map(({ body }) => body)).toEqual([
      expect.stringContaining('type'),
      expect.stringContaining('no message'),
      expect.stringContaining('not valid JSON'),
      expect.stringContaining('accepted'),
    ])
  })

  test.each([
    ['a length below zero', head('content-length: -5\r\n')],
    ['a length that is no number', head('content-length: 1e2\r\n')],
    ['two lengths', `${head('content-length: 2\r\ncontent-length: 3\r\n')}{}`],
    [
      'a length and chunks',
      `${head('content-length: 2\r\ntransfer-encoding: chunked\r\n')}2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['a chunk without a length', `${head('transfer-encoding: chunked\r\n')}zz\r\n{}\r\n`],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['no HTTP', '\x00\x01\x02\r\n\r\n'],
    ['headers without end', head(`x: ${'y'.repeat(200_000)}\r\n`)],
    ['headers without number', head('x: y\r\n'.repeat(5000))],
    ['a URL of 100 KB', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
  ])('%s is refused, and the connection closed', async (_name, sent) => {
    const answers = await exchange(loop.daemon.url, sent, 2)
    expect(answers.map(({ status }) => Math.floor(status / 100))).toEqual([4])
  })

  // A Host that is none makes a URL that cannot be read: each of these was once a 500.
  test.each([
    ['GET', '/nowhere', 404],
    ['GET', '/v1/segment', 405],
    ['GET', '/livez', 200],
    ['POST', '/v1/refiner/query?token=no', 401],
    ['GET', '/api/deliveries?limit=1', 200],
    ['POST', '/api/deliveries/replay?state=dead', 200],
  ])('a Host that is none changes nothing for %s %s', async (method, path, status) => {
    for (const host of ['[', 'a b', ':::', 'x:99999999', '%', '\xff']) {
      const sent = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer admin\r\ncontent-length: 0\r\n\r\n`
      const [answer] = await exchange(loop.daemon.url, sent)
      expect({ host, status: answer?.status }).toEqual({ host, status })
    }
  })
})
