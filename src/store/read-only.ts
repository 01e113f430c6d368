import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import type { DeliveryCall, Destination } from '../contracts/delivery.ts'
import type { Source } from '../contracts/inbox.ts'
import type { DeliveryState } from './schema.ts'

/** From SQLite's own header: https://www.sqlite.org/c3ref/c_open_autoproxy.html */
const SQLITE_OPEN_READONLY = 0x01
const SQLITE_OPEN_URI = 0x40

/** How long to wait for the daemon where it is just mending the file after a crash. */
const BUSY_TIMEOUT_MS = 2000

/**
 * Looks into the database at `path`, also while a daemon works on it. Makes no file, leaves none behind, and keeps
 * nobody waiting. Throws with what to do when it cannot be read.
 */
export function readDatabase<T>(path: string, work: (sqlite: Database) => T): T {
  if (!existsSync(path))
    throw new Error(`there is no database ${path}: the daemon makes it at its first start`)
  try {
    using sqlite = openReadOnly(path)
    sqlite.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return work(sqlite)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`reading the database ${path}: ${why}`, { cause: error })
  }
}

/**
 * A reader of a WAL database that finds no -wal makes one, and cannot remove it again. When there is none, all is in
 * the file itself and nobody writes to it, so that it can be read as one that never changes.
 */
function openReadOnly(path: string): Database {
  if (existsSync(`${path}-wal`) && existsSync(`${path}-shm`)) return new Database(path, { readonly: true })
  const escaped = path.split('/').map(encodeURIComponent).join('/')
  return new Database(`file:${escaped}?immutable=1`, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
}

/** A delivery, with the inbox item that it was made of. */
export interface StoredInput {
  readonly tenant: string
  readonly destination: Destination
  readonly call: DeliveryCall
  readonly state: DeliveryState
  readonly source: Source
  /** JSON text, as intake stored it. */
  readonly payload: string
  readonly receivedAt: number
}

/** What a delivery was made of; null when there is no delivery of that ID. */
export function inputOfDelivery(sqlite: Database, id: number): StoredInput | null {
  return sqlite
    .query<StoredInput, [number]>(
      `select o.tenant, o.destination, o.call, o.state, i.source, i.payload, i.received_at as receivedAt
         from outbox o join inbox i on i.id = o.inbox_id
        where o.id = ?
          and not exists (select 1 from doomed
            where (kind = 'delivery' and doomed.id = o.id) or (kind = 'item' and doomed.id = o.inbox_id))`,
    )
    .get(id)
}

/** The names and uuids of all surveys that responses of a tenant came from. */
export function surveysSeen(sqlite: Database, tenant: string): string[] {
  const rows = sqlite
    .query<{ name: string | null; uuid: string | null }, [string]>(
      'select distinct survey_name as name, survey_uuid as uuid from responses where tenant = ?',
    )
    .all(tenant)
  return rows.flatMap(({ name, uuid }) => [name, uuid]).filter((text) => text !== null)
}
