import { systemClock } from '../../src/observe/system-clock.ts'
import { openStore } from '../../src/store/open.ts'
import { emptyWal, removeOld, shrinkFile } from '../../src/store/retention.ts'

/** Removes all that is settled from the database it is given, step by step, and shrinks it; says `step` after each. */
const store = await openStore(String(Bun.argv[2]))
const retention = { deliveredMs: 0, deadMs: 0 }
for (let after: number | null = 0; after !== null;) {
  after = removeOld(store, { clock: systemClock, retention, after }).last
  shrinkFile(store, systemClock)
  process.stdout.write('step\n')
}
while (shrinkFile(store, systemClock)) process.stdout.write('step\n')
emptyWal(store)
store.close()
