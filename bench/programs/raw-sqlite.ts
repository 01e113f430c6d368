/** The limit of batch intake: bun:sqlite alone, which writes rows as the inbox has them, 64 a commit, each commit synced. */
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { segmentMessage } from '../messages.ts'

export interface RawPlan {
  /** On the disk that is measured. */
  readonly folder: string
  readonly seconds: number
  /** Whether the table has the key by which the inbox knows copies. */
  readonly key: boolean
}

export interface RawResult {
  readonly rowsPerSecond: number
}

const ROWS_A_COMMIT = 64

function measure({ folder, seconds, key }: RawPlan): RawResult {
  const db = new Database(join(folder, 'raw.db'))
  db.run('pragma journal_mode = wal')
  db.run('pragma synchronous = full')
  db.run(
    `create table rows (id integer primary key, tenant text, source text, dedup_key text, payload text,
      received_at integer, state text, copies integer${key ? ', unique (tenant, source, dedup_key)' : ''}) strict`,
  )
  const insert = db.prepare(
    `insert into rows (tenant, source, dedup_key, payload, received_at, state, copies)
      values ('bench', 'segment', ?, ?, ?, 'received', 0)`,
  )
  const payload = segmentMessage('user-123456', crypto.randomUUID())
  let rows = 0
  const commit = db.transaction(() => {
    for (let n = 0; n < ROWS_A_COMMIT; n++) insert.run(`11111111-2222-${rows + n}`, payload, Date.now())
  })
  const start = performance.now()
  for (; performance.now() - start < seconds * 1000; rows += ROWS_A_COMMIT) commit()
  const rowsPerSecond = (rows * 1000) / (performance.now() - start)
  db.close()
  return { rowsPerSecond }
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2]!) as RawPlan)))
