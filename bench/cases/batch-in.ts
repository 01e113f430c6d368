import type { Case } from '../case.ts'
import { compare, count } from '../compare.ts'
import { intakeSpeed } from '../intake-speed.ts'
import { MESSAGES_A_BATCH } from '../load/requests.ts'
import { removeFolder, runProgram, temporaryFolder } from '../processes.ts'
import type { RawPlan, RawResult } from '../programs/raw-sqlite.ts'

/** Beside the ratio to a table with the inbox's key stands the one to a table that would keep copies. */
export const batchIn: Case = {
  name: 'batch-in',
  what: 'batch intake, 100 messages a request, messages/s',
  against: 'raw bun:sqlite, same rows, same sync, 64 rows a commit',
  async run({ seconds, program }) {
    const keyless: number[] = []
    const { ours, limit, ratio, spread } = await compare(3, {
      async limit() {
        keyless.push(await rawSpeed({ seconds: seconds / 4, key: false }))
        return rawSpeed({ seconds: seconds / 4, key: true })
      },
      ours: async () => MESSAGES_A_BATCH * (await intakeSpeed(program, 'batch', seconds)),
    })
    const raw =
      `${count(ours)} messages/s against ${count(limit)} rows/s` +
      ` (${count(Math.max(...keyless))} without the key by which copies are known)`
    return [{ name: 'ratio', value: ratio, unit: '×', aim: { atLeast: 0.7 }, spread, raw }]
  },
}

/** Rows a second that bun:sqlite alone writes. */
async function rawSpeed(plan: Omit<RawPlan, 'folder'>): Promise<number> {
  const folder = temporaryFolder()
  try {
    return (await runProgram<RawResult>('raw-sqlite', { ...plan, folder })).rowsPerSecond
  } finally {
    removeFolder(folder)
  }
}
