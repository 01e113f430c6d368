import type { TSchema } from '@sinclair/typebox'
import { KindGuard } from '@sinclair/typebox'
import { error, type Finding } from '../telling/finding.ts'
import type { MistakeCode } from '../mistake.ts'
import { nearest } from '../telling/nearest.ts'
import { dotted, type Path } from '../telling/path.ts'
import { KEY_PLACES, keysOf } from '../schema-steps.ts'

/** Keys that the schema does not know: whether they may be named, and what to say of them. */

/** What a key's surroundings tell of whether it is a key at all, or a piece of a secret that YAML took for one. */
export interface KeySigns {
  /** It stands in braces without a value: `{ word }`. */
  readonly lone: boolean
  /** Something hidden stands on its line, of which it may be the rest: `{ key: sec,ret: x }`. */
  readonly besideHidden: boolean
}

/** Whether an unknown key may be written into messages and excerpts. */
export function isNameable(key: string, parent: TSchema, { lone, besideHidden }: KeySigns): boolean {
  const isMeant = /^[\w-]+$/.test(key) && nearest(key, keysOf(parent)) !== null
  return isMeant || (!lone && !besideHidden && looksLikeName(key))
}

/** Keys and tokens are long and hold digits or odd signs; names are short words. */
function looksLikeName(key: string): boolean {
  return key === '<<' || /^([A-Za-z_][A-Za-z_-]{0,39}|[A-Za-z_][\w.!-]{0,11})$/.test(key)
}

/** A key that a mapping does not have. `name` is null when it must not be shown. */
export function unknownKey(name: string | null, parent: TSchema, path: Path, offset: number): Finding {
  if (KindGuard.IsRecord(parent)) return badName(name, path, offset)
  const where = path.length === 0 ? 'at the top level' : `in \`${dotted(path)}\``
  if (name === null) {
    const message = `unknown key ${where}, not shown because it may be part of a secret`
    return error('unknown_key', offset, message, keysAre(parent))
  }
  return error('unknown_key', offset, `unknown key \`${name}\` ${where}`, hintFor(name, parent))
}

function hintFor(name: string, parent: TSchema): string {
  if (name === '<<')
    return 'merge keys are not supported: write the keys out, or use an alias as a whole value'
  const meant = nearest(name, keysOf(parent))
  if (meant !== null) return `did you mean \`${meant}\`?`
  const places = KEY_PLACES.get(name)?.filter((place) => place !== '') ?? []
  if (places.length > 0)
    return `\`${name}\` belongs in ${places
      .slice(0, 3)
      .map((place) => `\`${place}\``)
      .join(' or ')}`
  return keysAre(parent)
}

function keysAre(parent: TSchema): string {
  return `the keys here are ${keysOf(parent).join(', ')}`
}

function badName(name: string | null, path: Path, offset: number): Finding {
  const [kind, code]: [string, MistakeCode] =
    path[0] === 'tenants' ? ['tenant', 'bad_tenant_name'] : ['plugin', 'bad_plugin_name']
  const shown = name === null ? `this is` : `\`${name}\` is`
  const rule = 'a name has up to 63 letters, digits, `-` and `_`, and starts with a letter or digit'
  return error(code, offset, `${shown} no name for a ${kind}`, rule)
}
