/** Who acts: an account, a registered client, somebody at a terminal, the service itself, or nobody known. */
export type Actor =
  | { readonly kind: 'user' | 'client'; readonly id: string }
  | { readonly kind: 'operator'; readonly name: string }
  | { readonly kind: 'service' | 'nobody' }

/** Who acts, and from which address; null where there is none. */
export interface Origin {
  readonly actor: Actor
  readonly ip: string | null
}

/** What the service does by itself. */
export const serviceOrigin: Origin = { actor: { kind: 'service' }, ip: null }

/** What names an actor, next to its kind: the id, or the name of an operator. */
export function actorName(actor: Actor): string | null {
  if ('id' in actor) return actor.id
  return 'name' in actor ? actor.name : null
}
