"""WCBnet: weakly supervised localisation by cross-block attention, trained with image labels alone."""
