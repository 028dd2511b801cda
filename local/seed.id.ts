import { UUID } from 'uuidv7';
import { type Id, type IdKind, idOf, type Region } from '../subgraphs/kernel/id.js';

/** An id that is the same at every start, so that seeding twice changes nothing: a UUIDv7 of January 2025. */
export function fixedId<Kind extends IdKind>(kind: Kind, region: Region, number: number): Id<Kind> {
  return idOf(kind, region, UUID.parse(`01942000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`));
}
