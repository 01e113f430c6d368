import type { Statement } from 'bun:sqlite'
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Store } from './open.ts'
import type { Tables } from './schema.ts'

/**
 * Queries are written with Kysely, compiled once, and kept as prepared statements: building SQL anew for each row
 * would cost more than running it.
 */

type Value = string | number | null
type Arguments = Readonly<Record<string, Value>>

/** Stands in a query for the argument of that name. */
class Parameter {
  constructor(readonly name: string) {}
}

/** Writes constants into the SQL, as literals: SQLite uses a partial index only where it can read the constant. */
class ConstantsInline extends SqliteQueryCompiler {
  protected override appendValue(value: unknown): void {
    if (value instanceof Parameter) super.appendValue(value)
    else this.appendImmediateValue(value)
  }
}

/** Compiles queries; runs none. */
const builder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new ConstantsInline(),
  },
})

type Build<A extends Arguments, Row> = (db: Kysely<Tables>, argument: A) => Compilable<Row>

/** A query that answers rows, called with the store and its arguments by name. */
export function rows<A extends Arguments, Row>(build: Build<A, Row>): (store: Store, values: A) => Row[] {
  const statementOn = preparedOnce(build)
  return (store, values) => {
    const { statement, names } = statementOn(store)
    return statement.all(...names.map((name) => values[name]!)) as Row[]
  }
}

/** Like `rows`, but reads on only as far as it is asked to; to be read inside one transaction, without a pause. */
export function cursor<A extends Arguments, Row>(
  build: Build<A, Row>,
): (store: Store, values: A) => IterableIterator<Row> {
  const statementOn = preparedOnce(build)
  return (store, values) => {
    const { statement, names } = statementOn(store)
    return statement.iterate(...names.map((name) => values[name]!)) as IterableIterator<Row>
  }
}

/** A query that changes rows; answers how many. */
export function change<A extends Arguments>(build: Build<A, unknown>): (store: Store, values: A) => number {
  const statementOn = preparedOnce(build)
  return (store, values) => {
    const { statement, names } = statementOn(store)
    try {
      return statement.run(...names.map((name) => values[name]!)).changes
    } catch (error) {
      // Outside of a transaction it is a commit of its own, which nobody else looks after.
      store.guard.note(error)
      throw error
    }
  }
}

/** A query that adds a row; answers its row ID, or null when it added none. */
export function insertion<A extends Arguments>(
  build: Build<A, unknown>,
): (store: Store, values: A) => number | null {
  const statementOn = preparedOnce(build)
  return (store, values) => {
    const { statement, names } = statementOn(store)
    const { changes, lastInsertRowid } = statement.run(...names.map((name) => values[name]!))
    return changes === 0 ? null : Number(lastInsertRowid)
  }
}

interface Prepared {
  readonly statement: Statement<unknown, Value[]>
  /** The arguments in the order of the statement's placeholders. */
  readonly names: readonly string[]
}

function preparedOnce<A extends Arguments>(build: Build<A, unknown>): (store: Store) => Prepared {
  let compiled: { sql: string; names: string[] } | undefined
  const statements = new WeakMap<Store, Prepared>()
  return (store) => {
    let prepared = statements.get(store)
    if (!prepared) {
      compiled ??= compile(build)
      prepared = { statement: store.sqlite.prepare(compiled.sql), names: compiled.names }
      statements.set(store, prepared)
    }
    return prepared
  }
}

function compile<A extends Arguments>(build: Build<A, unknown>): { sql: string; names: string[] } {
  const marked = new Proxy({}, { get: (_, name) => new Parameter(String(name)) }) as A
  const { sql, parameters } = build(builder, marked).compile()
  return { sql, names: parameters.map((parameter) => (parameter as Parameter).name) }
}
