/** Every recipe, in the order of the threat catalogue. */
import { benign } from './benign.ts';
import { breaking, harmlessRows } from './breaking.ts';
import { hidden } from './hidden.ts';
import { names } from './names.ts';
import type { Recipe } from './recipe.ts';

export const benignRecipes: readonly Recipe[] = [...benign, ...harmlessRows];
export const hostileRecipes: readonly Recipe[] = [...hidden, ...breaking, ...names];
export const recipes: readonly Recipe[] = [...benignRecipes, ...hostileRecipes];
