import { systemClock } from '../../src/observe/system-clock.ts'
import { findMore, forgetPerson, nothingFound, removeDoomed } from '../../src/store/forget.ts'
import { openStore } from '../../src/store/open.ts'
import { personOf } from '../../src/store/person.ts'

/**
 * Forgets `ada` of the database that it is given, and says `begin` before the commit; with `decided` as second argument,
 * it says that after the commit, and does nothing more.
 */
const store = await openStore(String(Bun.argv[2]))
const person = personOf(store, 'acme', { userId: 'ada' })
const found = nothingFound()
while (!findMore(store, person, found, systemClock));
process.stdout.write('begin\n')
const terms = { by: 'test', askedAt: 1, inRefiner: false, now: 2 }
forgetPerson(store, { userId: 'ada' }, person, found, terms)
if (Bun.argv[3] === 'decided') {
  process.stdout.write('decided\n')
  await new Promise(() => setInterval(() => {}, 60_000))
}
while (removeDoomed(store, 3));
store.close()
