"""Companies in their tree, legal entities, banks and bank accounts."""
