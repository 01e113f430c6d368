import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/observe/system-clock.ts'
import { forgetPerson, nothingFound } from '../../src/store/forget.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { personOf } from '../../src/store/person.ts'
import { applyPeopleChanges } from '../../src/store/record-mapped.ts'
import { residueIn } from '../../src/store/residue.ts'
import { Scrub } from '../../src/store/scrub.ts'
import { inspect } from '../../src/store/verify.ts'
import { until } from '../support/loop.ts'
import { chance } from '../torture/random.ts'

const PEOPLE = Number(process.env['SCRUB_PEOPLE'] ?? 2000)
const FORGOTTEN = PEOPLE / 10

/** Everything of one person has this in it: the ID, the email, the uuid and the answers. */
const MARK = /mark-([0-9a-f]{10})([0-9a-f]{8})/g

interface Crowd {
  readonly marks: string[]
  readonly items: Map<string, number[]>
}

/** Something happens with some people, chosen at random, of whom some are new. */
function happen(store: Store, { marks, items }: Crowd, whom: readonly string[], random: Random): void {
  const item = store.sqlite.prepare(
    `insert into inbox (tenant, source, dedup_key, payload, received_at, state, copies)
      values ('acme', 'segment', ?, ?, 1, 'mapped', 0)`,
  )
  const delivery = store.sqlite.prepare(
    `insert into outbox (inbox_id, tenant, destination, call, user_key, message_id, payload, state, head, attempts,
      not_before, created_at, settled_at) values (?, 'acme', 'refiner', 'track', ?, ?, ?, 'delivered', 0, 0, 1, 1, 1)`,
  )
  store.transaction(() => {
    for (const mark of whom) {
      if (!items.has(mark)) {
        items.set(mark, [])
        marks.push(mark)
      }
      const said = `${mark} `.repeat(1 + random.below(random.below(10) === 0 ? 400 : 15))
      const payload = JSON.stringify({ type: 'track', userId: mark, event: 'E', said })
      const id = Number(item.run(`${mark}-${random.below(1e9)}`, payload).lastInsertRowid)
      delivery.run(id, mark, `${mark}-${id}`, payload)
      items.get(mark)!.push(id)
      applyPeopleChanges(store, { tenant: 'acme', receivedAt: id }, [
        {
          kind: 'user',
          userId: mark,
          email: `${mark}@example.com`,
          refinerUuid: `uuid-${mark}`,
          traits: { said },
        },
        { kind: 'event', userId: mark, name: `event-${mark}-${random.below(4)}`, at: 1 },
      ])
    }
  })
}

interface Random {
  below(bound: number): number
}

function randomOf(seed: number): Random {
  const crowd = chance(seed, 'crowd')
  return { below: (bound) => Math.floor(crowd.between(0, bound)) }
}

const newMark = (random: Random) => {
  const id = [0, 0]
    .map(() =>
      random
        .below(16 ** 5)
        .toString(16)
        .padStart(5, '0'),
    )
    .join('')
  return `mark-${id}${checkOf(id)}`
}

/** By which one that is there is told from the remains of two that are laid over one another. */
const checkOf = (id: string) => Bun.hash.crc32(id).toString(16).padStart(8, '0')

const some = (count: number, random: Random, { marks }: Crowd) =>
  Array.from({ length: count }, () =>
    marks.length === 0 || random.below(2) === 0 ? newMark(random) : marks[random.below(marks.length)]!,
  )

function forget(store: Store, { items, marks }: Crowd, mark: string): void {
  const person = personOf(store, 'acme', { userId: mark })
  const found = { ...nothingFound(), items: items.get(mark)! }
  const terms = { by: 'test', askedAt: 1, inRefiner: false, now: 2 }
  forgetPerson(store, { userId: mark }, person, found, terms)
  items.delete(mark)
  marks.splice(marks.indexOf(mark), 1)
}

/** The marks of people who are not there any more, by the files that they are in. */
function leftOf(path: string, { items }: Crowd): string[] {
  return ['', '-wal', '-shm']
    .map((ending) => `${path}${ending}`)
    .filter((file) => existsSync(file))
    .flatMap((file) => [...readFileSync(file).toString('latin1').matchAll(MARK)])
    .filter(([mark, id, check]) => checkOf(id!) === check && !items.has(mark))
    .map(([mark]) => mark)
}

test('nothing of thousands of people is left in any byte of the files, whatever is written meanwhile and then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-scrub-'))
  try {
    const path = join(folder, 'test.db')
    const store = await openStore(path)
    const random = randomOf(Number(process.env['SCRUB_SEED'] ?? 7))
    const crowd: Crowd = { marks: [], items: new Map() }
    while (crowd.marks.length < PEOPLE) happen(store, crowd, some(20, random, crowd), random)
    // Until some is left: overwriting what is deleted is not enough.
    for (let round = 0; round < 20 && leftOf(path, crowd).length === 0; round++) {
      for (let n = 0; n < FORGOTTEN / 2; n++) {
        forget(store, crowd, crowd.marks[random.below(crowd.marks.length)]!)
        if (n % 10 === 0) happen(store, crowd, some(20, random, crowd), random)
      }
      await until(() => store.emptyWal(1e6))
    }
    expect(leftOf(path, crowd)).not.toEqual([])

    const scrub = new Scrub(store, systemClock)
    const file = { isClean: false }
    const writing = (async () => {
      while (!file.isClean) {
        happen(store, crowd, some(3, random, crowd), random)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    while (
      !(await scrub.run(
        () => false,
        () => (file.isClean = true),
      ))
    );
    await writing
    expect(leftOf(path, crowd)).toEqual([])
    expect(inspect(store.sqlite).problems).toEqual([])

    // Nor does it come back with what SQLite remembered of the pages.
    for (let n = 0; n < 50; n++) happen(store, crowd, some(20, random, crowd), random)
    await until(() => store.emptyWal(1e6))
    expect(leftOf(path, crowd)).toEqual([])
    expect(inspect(store.sqlite).problems).toEqual([])
    store.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a page that is not as it should be is left alone', () => {
  const page = Buffer.alloc(512)
  page[0] = 13
  page.writeUInt16BE(1, 3)
  page.writeUInt16BE(500, 5)
  page.writeUInt16BE(500, 8)
  expect(residueIn(page)).toEqual([])
  page[100] = 1
  expect(residueIn(page)).toEqual([{ from: 10, to: 500 }])
  for (const spoil of [
    (one: Buffer) => (one[0] = 1),
    (one: Buffer) => one.writeUInt16BE(400, 8),
    (one: Buffer) => one.writeUInt16BE(600, 5),
    (one: Buffer) => one.writeUInt16BE(300, 3),
    (one: Buffer) => one.writeUInt16BE(400, 1),
  ]) {
    const spoilt = Buffer.from(page)
    spoil(spoilt)
    expect(residueIn(spoilt)).toBeNull()
  }
})
