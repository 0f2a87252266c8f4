// SWIM
