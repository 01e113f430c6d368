import type { Migration } from 'kysely/migration'
import { initial } from './001-initial.ts'
import { mappingNotes } from './002-mapping-notes.ts'
import { groupsAndReplay } from './003-groups-and-replay.ts'
import { attemptsAndReplays } from './004-attempts-and-replays.ts'
import { cheapChecks } from './005-cheap-checks.ts'
import { polling } from './006-polling.ts'
import { backfills } from './007-backfills.ts'
import { identities } from './008-identities.ts'
import { privacy } from './010-privacy.ts'
import { segments } from './011-segments.ts'
import { polledItems } from './012-polled-items.ts'

/** By name, run in the order of their names. A static map: a compiled binary has no folder to read. */
export const migrations: Record<string, Migration> = {
  '001-initial': initial,
  '002-mapping-notes': mappingNotes,
  '003-groups-and-replay': groupsAndReplay,
  '004-attempts-and-replays': attemptsAndReplays,
  '005-cheap-checks': cheapChecks,
  '006-polling': polling,
  '007-backfills': backfills,
  '008-identities': identities,
  '010-privacy': privacy,
  '011-segments': segments,
  '012-polled-items': polledItems,
}
